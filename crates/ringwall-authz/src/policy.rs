//! What a policy is: an effect, and the conditions under which it applies.
//!
//! Promises: paths and operands are parsed, so a policy that exists can be judged. Does not do: read text, judge.

use std::fmt;
use std::str::FromStr;

use ringwall_types::{InvalidValue, Obligation, PolicyId, Value, nearest};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::quoted;
use crate::limits::PATH_DEPTH_MAX;
use crate::operator::Test;
use crate::zone::Zone;

/// What a policy does when it applies.
#[derive(Clone, Copy, Debug, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Lets the request pass.
    Allow,
    /// Refuses it.
    Deny,
}

impl Effect {
    pub(crate) const NAMES: &'static [&'static str] = &["allow", "deny"];

    /// The name in policy documents and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Effect {
    type Err = InvalidValue;

    /// Reads `allow` or `deny` in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "allow" => Ok(Self::Allow),
            "deny" => Ok(Self::Deny),
            _ => Err(InvalidValue::new("effect", format!("{} is neither allow nor deny", quoted(text)))),
        }
    }
}

/// A rule of a set.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Unique in its set.
    pub id: PolicyId,
    /// For people. Empty when none was given.
    pub name: String,
    /// For people. Empty when none was given.
    pub description: String,
    /// What it does when it applies.
    pub effect: Effect,
    /// Higher is cited first; under [`Combining::Priority`](crate::Combining) higher decides.
    pub priority: i32,
    /// What must hold, all of it.
    pub conditions: Vec<Condition>,
    /// What must be done along with the answer when this policy has a part in it.
    pub obligations: Vec<Obligation>,
    /// Says that an allow without conditions is meant. A deny without conditions needs no such word.
    pub match_all: bool,
    /// Where the wall clock of its conditions hangs. `None`: the set's zone.
    pub timezone: Option<Zone>,
}

impl Policy {
    /// A policy without conditions, priority 0.
    pub fn new(id: PolicyId, effect: Effect) -> Self {
        Self {
            id,
            name: String::new(),
            description: String::new(),
            effect,
            priority: 0,
            conditions: Vec::new(),
            obligations: Vec::new(),
            match_all: false,
            timezone: None,
        }
    }

    /// Whether it would let everything pass without saying that this is meant.
    pub(crate) fn is_unguarded_allow(&self) -> bool {
        self.effect == Effect::Allow && self.conditions.is_empty() && !self.match_all
    }
}

/// One attribute, one test.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Which attribute.
    pub path: AttributePath,
    /// What it must pass.
    pub test: Test,
    /// Stands for the attribute when it is missing, never when it has the wrong type. `exists` does not see it.
    pub default: Option<Value>,
    /// Compares text without regard to upper and lower case.
    pub ignore_case: bool,
    /// Where the wall clock of this condition hangs. `None`: the policy's zone.
    pub timezone: Option<Zone>,
}

impl Condition {
    /// A condition without modifiers.
    pub fn new(path: AttributePath, test: Test) -> Self {
        Self { path, test, default: None, ignore_case: false, timezone: None }
    }

    /// Whether a missing attribute means the present moment: the time of the request, asked by the clock.
    pub(crate) fn falls_back_to_now(&self) -> bool {
        let asks_clock = matches!(self.test, Test::WithinHours(_) | Test::Before(_) | Test::After(_));
        asks_clock && self.path.root == Root::Environment && self.path.names == ["time"]
    }
}

/// Whose attribute it is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Root {
    /// The principal's.
    User,
    /// The resource's.
    Resource,
    /// The surroundings'.
    Environment,
    /// The action's.
    Action,
}

impl Root {
    pub(crate) const NAMES: &'static [&'static str] = &["user", "resource", "environment", "action"];

    /// The name at the beginning of a path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Resource => "resource",
            Self::Environment => "environment",
            Self::Action => "action",
        }
    }

    /// The root of that name, exactly as it is written.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::User, Self::Resource, Self::Environment, Self::Action].into_iter().find(|r| r.as_str() == name)
    }
}

/// Where an attribute lies: a root, then names from the outermost map inwards.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AttributePath {
    root: Root,
    names: Vec<String>,
}

impl AttributePath {
    /// Accepts one to sixteen names, none empty, none with a dot.
    pub fn new(root: Root, names: Vec<String>) -> Result<Self, InvalidValue> {
        if names.is_empty() || names.iter().any(|name| name.is_empty() || name.contains('.')) {
            return Err(invalid(format!("needs a name behind `{}` and behind every dot", root.as_str())));
        }
        if names.len() > PATH_DEPTH_MAX {
            return Err(invalid(format!("has {} names, the limit is {PATH_DEPTH_MAX}", names.len())));
        }
        Ok(Self { root, names })
    }

    /// Whose attribute it is.
    pub fn root(&self) -> Root {
        self.root
    }

    /// The names from the outermost map inwards; never none.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

impl FromStr for AttributePath {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (root, names) = text.split_once('.').unwrap_or((text, ""));
        let known = Root::from_name(root).ok_or_else(|| {
            let hint = nearest(root, Root::NAMES.iter().copied()).map_or_else(
                || format!("a path begins with {}", Root::NAMES.join(", ")),
                |name| format!("did you mean `{name}`?"),
            );
            invalid(format!("root {} is unknown; {hint}", quoted(root)))
        })?;
        let names = names.split('.').filter(|_| text.contains('.'));
        Self::new(known, names.map(str::to_owned).collect())
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root.as_str())?;
        self.names.iter().try_for_each(|name| write!(f, ".{name}"))
    }
}

fn invalid(why: String) -> InvalidValue {
    InvalidValue::new("attribute path", why)
}
