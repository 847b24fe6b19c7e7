//! Everything a detector knows, to be saved and taken up again.

use std::collections::BTreeMap;

use ringwall_types::TenantId;
use serde::{Deserialize, Serialize};

use crate::detector::TenantState;
use crate::{Error, Metrics, Rule};

/// The form of the saved state; another one is refused rather than guessed at.
const VERSION: u32 = 1;

/// The state of a detector, as data. Its inside is no promise; only the same version reads it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorState {
    version: u32,
    rules: Vec<Rule>,
    tenants: BTreeMap<TenantId, TenantState>,
    metrics: Metrics,
}

impl DetectorState {
    pub(crate) fn new(rules: Vec<Rule>, tenants: BTreeMap<TenantId, TenantState>, metrics: Metrics) -> Self {
        Self { version: VERSION, rules, tenants, metrics }
    }

    /// The tenants' states with one table for each of `rules`, empty where the rule is not the one that was saved.
    pub(crate) fn for_rules<'a>(
        self,
        rules: impl Iterator<Item = &'a Rule>,
    ) -> Result<(BTreeMap<TenantId, TenantState>, Metrics), Error> {
        if self.version != VERSION {
            return Err(Error::snapshot(format!(
                "is of version {}, this is version {VERSION}",
                self.version
            )));
        }
        let saved_at: Vec<_> = rules.map(|rule| self.rules.iter().position(|saved| saved == rule)).collect();
        let mut tenants = self.tenants;
        for state in tenants.values_mut() {
            let mut saved = std::mem::take(&mut state.tables);
            let take = |at: &Option<usize>| {
                at.and_then(|at| saved.get_mut(at)).map(std::mem::take).unwrap_or_default()
            };
            state.tables = saved_at.iter().map(take).collect();
            state.rehash();
        }
        Ok((tenants, self.metrics))
    }
}
