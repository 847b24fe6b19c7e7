//! Every limit of a workflow, in one place.
//! A definition beyond a limit is refused when it is read or built, never cut short.

/// Bytes of one definition document, YAML or JSON.
pub const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;
/// Levels of nesting in one definition document.
pub const DOCUMENT_DEPTH_MAX: usize = 64;
/// YAML nodes (scalars, sequences and mappings) in one definition document; as many again may come from aliases.
pub const DOCUMENT_NODES_MAX: usize = 100_000;
/// YAML anchors, and uses of them, in one definition document.
pub const DOCUMENT_ALIASES_MAX: usize = 256;
/// Nodes in one workflow.
pub const NODES_MAX: usize = 256;
/// Connections in one workflow.
pub const CONNECTIONS_MAX: usize = 1024;
/// Named inputs of one workflow.
pub const INPUTS_MAX: usize = 256;
/// Characters of a node id, a kind, a port or an input's name.
pub const NAME_CHARS_MAX: usize = 64;
/// Characters of a workflow's name.
pub const WORKFLOW_NAME_CHARS_MAX: usize = 128;
/// Characters of a workflow's description.
pub const DESCRIPTION_CHARS_MAX: usize = 4096;
/// Characters of a run id.
pub const RUN_ID_CHARS_MAX: usize = 128;
/// Bytes of one node's configuration, written as JSON.
pub const CONFIG_BYTES_MAX: usize = 64 * 1024;
/// Levels of nesting in one node's configuration.
pub const CONFIG_DEPTH_MAX: usize = 32;
/// The longest deadline a node may ask for: one hour.
pub const NODE_DEADLINE_MS_MAX: u64 = 60 * 60 * 1000;
/// The deadline of a node that asks for none.
pub const NODE_DEADLINE_MS_DEFAULT: u64 = 30_000;
/// Nodes of one run that may be at work at once, unless the runtime is told otherwise.
pub const PARALLEL_NODES_MAX_DEFAULT: usize = 16;
/// Characters kept of a node's error message.
pub const MESSAGE_CHARS_MAX: usize = 1024;
