//! The policies that hold together, in the order in which they decide.
//!
//! Promises: ids are unique, no allow without conditions slipped in, and of the policies that apply to a request the
//! first one in order decides. Does not do: change. An edit makes a new set, which replaces the old one whole.

use std::collections::BTreeSet;
use std::fmt;

use ringwall_types::PolicyId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Fault, LoadErrorKind, LoadErrors, Scope};
use crate::limits::{CONDITIONS_MAX, OBLIGATIONS_MAX, POLICIES_MAX};
use crate::operator::Test;
use crate::policy::{AttributePath, Condition, Effect, Policy, Root};
use crate::zone::Zone;

/// Which policy decides when several apply.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Combining {
    /// A deny wins over every allow, at any priority.
    #[default]
    DenyOverrides,
    /// The highest priority wins; at the same priority a deny wins over an allow.
    Priority,
}

impl Combining {
    pub(crate) const NAMES: &'static [&'static str] = &["deny_overrides", "priority"];

    /// The name in policy documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DenyOverrides => "deny_overrides",
            Self::Priority => "priority",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::DenyOverrides, Self::Priority].into_iter().find(|combining| combining.as_str() == name)
    }
}

/// Policies in the order in which they decide.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySet {
    // INVARIANT: sorted by `rank`, so that the first policy that applies is the one that decides.
    policies: Vec<Policy>,
    combining: Combining,
    timezone: Zone,
}

impl PolicySet {
    /// Accepts policies with unique ids, within the limits, whose allows have conditions or say `match_all`.
    pub fn new(policies: Vec<Policy>, combining: Combining) -> Result<Self, LoadErrors> {
        let mut errors = LoadErrors::default();
        if policies.len() > POLICIES_MAX {
            errors.add(Scope::default(), too_many_policies(policies.len()));
            return Err(errors);
        }
        let mut seen = BTreeSet::new();
        for (index, policy) in policies.iter().enumerate() {
            let scope = Scope { index: Some(index), policy: Some(policy.id.as_str()), ..Scope::default() };
            errors.keep(scope, check_shape(policy));
            if !seen.insert(&policy.id) {
                errors.add(scope, duplicate_policy());
            }
        }
        if errors.is_empty() { Ok(Self::sorted(policies, combining, Zone::UTC)) } else { Err(errors) }
    }

    /// A set that denies everything.
    pub fn empty() -> Self {
        Self::sorted(Vec::new(), Combining::default(), Zone::UTC)
    }

    /// Takes policies that were already checked.
    pub(crate) fn sorted(mut policies: Vec<Policy>, combining: Combining, timezone: Zone) -> Self {
        policies.sort_by(|a, b| rank(a, combining).cmp(&rank(b, combining)));
        Self { policies, combining, timezone }
    }

    /// The same set with its wall clock in another zone.
    #[must_use]
    pub fn with_timezone(self, timezone: Zone) -> Self {
        Self { timezone, ..self }
    }

    /// The policies, the one that decides first.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Which policy decides when several apply.
    pub fn combining(&self) -> Combining {
        self.combining
    }

    /// The zone of policies that name none.
    pub fn timezone(&self) -> &Zone {
        &self.timezone
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.policies.len()
    }

    /// Whether there is none, so that every request is denied.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// What loads but is probably not meant.
    pub fn warnings(&self) -> Vec<Warning> {
        if self.is_empty() {
            return vec![Warning::NoPolicies];
        }
        self.policies.iter().flat_map(policy_warnings).collect()
    }
}

/// The lower rank decides.
fn rank(policy: &Policy, combining: Combining) -> impl Ord + '_ {
    let deny_first = policy.effect == Effect::Allow;
    let high_first = std::cmp::Reverse(policy.priority);
    let (outer, inner) = match combining {
        Combining::DenyOverrides => (deny_first, false),
        Combining::Priority => (false, deny_first),
    };
    (outer, high_first, inner, &policy.id)
}

/// What must hold of one policy however it came about.
pub(crate) fn check_shape(policy: &Policy) -> Result<(), Fault> {
    within(policy.conditions.len(), CONDITIONS_MAX, "conditions")?;
    within(policy.obligations.len(), OBLIGATIONS_MAX, "obligations")?;
    if policy.is_unguarded_allow() {
        let message = "an allow without conditions allows everything; say `match_all: true` if that is meant";
        return Err(Fault::new(LoadErrorKind::UnguardedAllow, message));
    }
    Ok(())
}

pub(crate) fn within(count: usize, max: usize, what: &str) -> Result<(), Fault> {
    if count <= max {
        return Ok(());
    }
    Err(Fault::new(LoadErrorKind::Limit, format!("{count} {what}, the limit is {max}")))
}

pub(crate) fn too_many_policies(count: usize) -> Fault {
    Fault::new(LoadErrorKind::Limit, format!("{count} policies, the limit is {POLICIES_MAX}"))
}

pub(crate) fn duplicate_policy() -> Fault {
    Fault::new(LoadErrorKind::DuplicatePolicy, "this policy id is given twice")
}

/// Something that loads but is probably not meant.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The set has no policies and denies everything.
    NoPolicies,
    /// A deny reads an attribute that may be missing, and then denies.
    DenyWithoutDefault {
        /// The deny.
        policy: PolicyId,
        /// The attribute.
        path: AttributePath,
    },
    /// A condition compares with an empty list, so its outcome is always the same or nearly so.
    EmptyList {
        /// The policy.
        policy: PolicyId,
        /// The attribute.
        path: AttributePath,
    },
}

impl Warning {
    /// Stable, machine-readable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPolicies => "no_policies",
            Self::DenyWithoutDefault { .. } => "deny_without_default",
            Self::EmptyList { .. } => "empty_list",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPolicies => f.write_str("there are no policies, so every request is denied"),
            Self::DenyWithoutDefault { policy, path } => write!(
                f,
                "deny `{policy}` reads `{path}` without a `default`, so it denies whoever lacks that attribute"
            ),
            Self::EmptyList { policy, path } => {
                write!(f, "policy `{policy}` compares `{path}` with an empty list")
            }
        }
    }
}

fn policy_warnings(policy: &Policy) -> impl Iterator<Item = Warning> {
    let mut warned = BTreeSet::new();
    policy.conditions.iter().flat_map(move |condition| {
        let (id, path) = (&policy.id, &condition.path);
        let undecidable = policy.effect == Effect::Deny && may_be_missing(condition) && warned.insert(path);
        let missing =
            undecidable.then(|| Warning::DenyWithoutDefault { policy: id.clone(), path: path.clone() });
        let empty = compares_with_nothing(&condition.test)
            .then(|| Warning::EmptyList { policy: id.clone(), path: path.clone() });
        missing.into_iter().chain(empty)
    })
}

fn may_be_missing(condition: &Condition) -> bool {
    // What every request carries; see `Context::from_request`.
    const ALWAYS: &[(Root, &[&str])] = &[
        (Root::User, &["id", "kind", "roles", "groups", "clearance"]),
        (Root::Resource, &["id"]),
        (Root::Action, &["id", "area", "type", "verb"]),
    ];
    let path = &condition.path;
    let given = ALWAYS.iter().any(|(root, names)| {
        *root == path.root() && matches!(path.names(), [name] if names.contains(&name.as_str()))
    });
    let asks_presence = matches!(condition.test, Test::Exists(_));
    !given && !asks_presence && condition.default.is_none() && !condition.falls_back_to_now()
}

fn compares_with_nothing(test: &Test) -> bool {
    match test {
        Test::Intersects(values) | Test::DisjointFrom(values) | Test::SupersetOf(values) => values.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
