//! How large a policy set may be. Every limit is checked when a set is loaded, before memory is spent on it.

/// The most policies of one set.
pub const POLICIES_MAX: usize = 100_000;
/// The most conditions of one policy.
pub const CONDITIONS_MAX: usize = 64;
/// The most obligations of one policy.
pub const OBLIGATIONS_MAX: usize = 64;
/// The largest policy document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most elements of one list or map inside an operand.
pub const OPERAND_ENTRIES_MAX: usize = 10_000;
/// The deepest attribute path, counted in names behind its root.
pub const PATH_DEPTH_MAX: usize = 16;
/// The longest name or description of a policy, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 4096;
/// The most errors that are listed; what goes beyond is counted.
pub(crate) const ERRORS_MAX: usize = 1000;
/// The longest message of one error; what a parser tells may repeat long input.
pub(crate) const MESSAGE_CHARS_MAX: usize = 400;
/// The most values that YAML aliases of one document may repeat, and how deep aliases may stand for aliases.
pub(crate) const ALIASED_NODES_MAX: usize = 10_000;
pub(crate) const ALIAS_DEPTH_MAX: usize = 8;
/// The deepest nesting of lists and maps in a document: five levels lead to an operand.
pub(crate) const DOCUMENT_DEPTH_MAX: usize = 40;
/// The most values of one document: 40 for each of the most policies.
pub(crate) const DOCUMENT_NODES_MAX: usize = 4_000_000;
/// The longest elapsed time that a condition can ask for, in days: ten thousand years.
pub(crate) const ELAPSED_DAYS_MAX: i64 = 3_652_500;
