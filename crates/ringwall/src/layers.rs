//! The layers, one file each.

mod application;
mod behavior;
mod perimeter;

pub(crate) use application::Application;
pub(crate) use behavior::Behavior;
pub(crate) use perimeter::Perimeter;
