use std::sync::Arc;

use super::*;
use crate::{Stores, conformance};

#[tokio::test]
async fn the_memory_backend_keeps_every_promise_of_the_suite() {
    conformance::run_all(|| async {
        Stores::of(Arc::new(MemoryStore::open(conformance::log_options()).unwrap()))
    })
    .await;
}
