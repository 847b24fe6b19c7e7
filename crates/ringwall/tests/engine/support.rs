//! An engine with everything around it that a test wants to touch.

use std::sync::Arc;

use ringwall::detect::Format;
use ringwall::{Answer, Caller, Config, Engine, IngestReport};
use ringwall_store::Stores;
use ringwall_testkit::engine::{Follower, caller, memory_stores, on, records};
use ringwall_testkit::requests::{failed_login, request_from};
use ringwall_testkit::{FaultSwitch, FaultyStore, FixedClock};
use ringwall_types::{AccessRequest, AuditRecord, Decision, RecordBody, Response, ResponseAction, Threat};

/// Policies that allow everything.
pub(crate) const ALLOW_ALL: &str = "policies: [{id: everyone, effect: allow, match_all: true}]";

pub(crate) struct Rig {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: FixedClock,
    pub(crate) stores: Stores,
    pub(crate) switch: FaultSwitch,
    pub(crate) caller: Caller,
    pub(crate) follower: Option<Follower>,
}

impl Rig {
    /// An engine in which everything is allowed and detection is at work.
    pub(crate) async fn new(config: Config) -> Self {
        let mut rig = Self::without_policies(config);
        rig.engine.replace_policies(&rig.caller, ALLOW_ALL).await.unwrap();
        rig.follower = Some(Follower::start(&rig.engine));
        rig
    }

    /// An engine as it is first started, without detection.
    pub(crate) fn without_policies(config: Config) -> Self {
        let (stores, switch) = FaultyStore::around(memory_stores());
        let clock = FixedClock::default();
        let engine = on(stores.clone(), &clock, config);
        Self { engine, clock, stores, switch, caller: caller(), follower: None }
    }

    pub(crate) async fn decide(&self, request: AccessRequest) -> Answer {
        self.engine.decide(&self.caller, request).await.unwrap()
    }

    /// Whether ann may read from there.
    pub(crate) async fn reads_from(&self, address: &str) -> Answer {
        self.decide(request_from("ann", "dataset:read", "d1", address)).await
    }

    /// Takes lines, and waits until detection has judged them.
    pub(crate) async fn ingest(&self, lines: &[String]) -> IngestReport {
        self.ingest_as(&self.caller, lines).await
    }

    pub(crate) async fn ingest_as(&self, caller: &Caller, lines: &[String]) -> IngestReport {
        let text = lines.join("\n");
        let report = self.engine.ingest(caller, Format::Ndjson, None, text.as_bytes()).await.unwrap();
        assert!(report.detected && report.rejected == 0, "{report:?}");
        report
    }

    /// So many failed logins of one user from one address, a second apart, the last one now.
    pub(crate) async fn fail_logins(&self, count: i64, user: &str, address: &str) -> IngestReport {
        let line = |back: i64| failed_login(self.clock.after_secs(-back), user, address);
        self.ingest(&(0..count).rev().map(line).collect::<Vec<_>>()).await
    }

    pub(crate) async fn threats(&self) -> Vec<Threat> {
        self.engine.threats(&self.caller, None, 10_000).await.unwrap()
    }

    pub(crate) async fn records(&self) -> Vec<AuditRecord> {
        records(&self.stores).await
    }

    /// Every recorded response with this action.
    pub(crate) async fn recorded(&self, action: ResponseAction) -> Vec<Response> {
        let responses = self.records().await.into_iter().filter_map(|record| match record.body {
            RecordBody::Response(response) => Some(response),
            _ => None,
        });
        responses.filter(|response| response.plan.action == action).collect()
    }

    pub(crate) async fn count(&self, kind: &str) -> usize {
        self.records().await.iter().filter(|record| record.body.kind() == kind).count()
    }

    /// Ends detection in order and begins again with a new engine on the same stores, as a restart does.
    pub(crate) async fn restarted(mut self, config: Config) -> Self {
        if let Some(follower) = self.follower.take() {
            follower.stop().await;
        }
        self.revived(config)
    }

    /// The same after a crash: nothing is saved in order.
    pub(crate) async fn crashed(mut self, config: Config) -> Self {
        if let Some(follower) = self.follower.take() {
            follower.crash().await;
        }
        self.revived(config)
    }

    fn revived(self, config: Config) -> Self {
        let engine = on(self.stores.clone(), &self.clock, config);
        let follower = Some(Follower::start(&engine));
        Self { engine, follower, ..self }
    }
}

#[track_caller]
pub(crate) fn allowed(answer: &Answer) {
    assert_eq!(answer.verdict.decision(), Decision::Allow, "{answer:?}");
    assert!(answer.log_index.is_some());
}

#[track_caller]
pub(crate) fn denied(answer: &Answer, code: &str) {
    assert_eq!(answer.verdict.decision(), Decision::Deny, "{answer:?}");
    let codes: Vec<_> = answer.verdict.reasons().iter().map(|reason| reason.code.as_str()).collect();
    assert!(codes.contains(&code), "{codes:?}");
}

/// Settings under which these actions are taken.
pub(crate) fn with_actions(actions: &[ResponseAction]) -> Config {
    let mut config = Config::default();
    config.response.actions = actions.to_vec();
    config
}
