//! TLS 1.2 and 1.3 with rustls.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsSettings;

/// Reads certificate and key.
pub(crate) fn acceptor(settings: &TlsSettings) -> Result<TlsAcceptor, String> {
    let place = settings.certificate.display();
    let chain =
        CertificateDer::pem_file_iter(&settings.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| format!("{place}: {error}"))?;
    if chain.is_empty() {
        return Err(format!("{place}: there is no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(&settings.key);
    let key = key.map_err(|error| format!("{}: {error}", settings.key.display()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| format!("{place}: {error}"))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
