//! The nodes of the guide, in workflows.
