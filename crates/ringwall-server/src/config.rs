//! Settings of the program: file, then environment, then command line; a later one wins, an unknown key is an error.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The file that is read when none is named.
pub(crate) const DEFAULT_FILE: &str = "ringwall.toml";
/// Environment variables begin with this; `__` stands for the dot: `RINGWALL_SERVER__LISTEN`.
pub(crate) const ENV_PREFIX: &str = "RINGWALL_";

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where data is kept and who signs the log.
    pub(crate) data: DataSettings,
    /// How the server listens.
    pub(crate) server: ServerSettings,
    /// How decisions are made.
    pub(crate) decision: ringwall::DecisionConfig,
    /// How threats are found.
    pub(crate) detection: ringwall::DetectionConfig,
    /// What is done about threats.
    pub(crate) response: ringwall::ResponseConfig,
}

/// Where data is kept.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DataSettings {
    /// The data directory; made with mode 0700 when it does not exist.
    pub(crate) directory: PathBuf,
    /// A policy file that the tenant `default` gets at every start. Absent: the policies that were set through the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policies: Option<PathBuf>,
}

impl Default for DataSettings {
    fn default() -> Self {
        Self { directory: PathBuf::from("ringwall-data"), policies: None }
    }
}

/// How the server listens.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSettings {
    /// Address and port.
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// Certificate and key; without them only a loopback address is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<TlsSettings>,
    /// Listen on a non-loopback address without TLS: keys and decisions cross the network readable.
    pub(crate) danger_listen_without_tls: bool,
    /// The longest request body of an event upload, in bytes.
    pub(crate) events_body_bytes_max: usize,
    /// The longest JSON body, in bytes. Policies may be as long as a policy document may be.
    pub(crate) body_bytes_max: usize,
    /// Connections at a time.
    pub(crate) connections_max: usize,
    /// Connections at a time from one address.
    pub(crate) connections_per_address_max: usize,
    /// Requests per second and API key, over time.
    pub(crate) rate_per_key_per_sec: u32,
    /// Requests at once and API key.
    pub(crate) burst_per_key: u32,
    /// How long requests under way may take to finish after a stop signal, in seconds.
    pub(crate) drain_secs: u64,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7117)),
            tls: None,
            danger_listen_without_tls: false,
            events_body_bytes_max: 8 << 20,
            body_bytes_max: 1 << 20,
            connections_max: 4096,
            connections_per_address_max: 1024,
            rate_per_key_per_sec: 50_000,
            burst_per_key: 100_000,
            drain_secs: 10,
        }
    }
}

impl ServerSettings {
    fn check(&self) -> Result<(), String> {
        const BODY_BYTES_MAX: usize = 1 << 30;
        const CONNECTIONS_MAX: usize = 1 << 20;
        const RATE_MAX: usize = 1_000_000;
        let as_usize = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        for (name, value, most) in [
            ("events_body_bytes_max", self.events_body_bytes_max, BODY_BYTES_MAX),
            ("body_bytes_max", self.body_bytes_max, BODY_BYTES_MAX),
            ("connections_max", self.connections_max, CONNECTIONS_MAX),
            ("connections_per_address_max", self.connections_per_address_max, CONNECTIONS_MAX),
            ("rate_per_key_per_sec", as_usize(self.rate_per_key_per_sec), RATE_MAX),
            ("burst_per_key", as_usize(self.burst_per_key), RATE_MAX),
        ] {
            if !(1..=most).contains(&value) {
                return Err(format!("server.{name}: {value} is not in 1 to {most}"));
            }
        }
        Ok(())
    }
}

/// Certificate and key.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsSettings {
    /// PEM file with the certificate chain, leaf first.
    pub(crate) certificate: PathBuf,
    /// PEM file with the private key.
    pub(crate) key: PathBuf,
}

impl Settings {
    /// Reads file and environment. `file` must exist when it is named; the default file may be absent.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, String> {
        let place = file.unwrap_or(Path::new(DEFAULT_FILE));
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        match std::fs::read_to_string(place) {
            Ok(text) => figment = figment.merge(Toml::string(&text)),
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", place.display())),
        }
        // Only names with two underscores are settings: a cluster may set RINGWALL_PORT and its like by itself.
        let environment = Env::prefixed(ENV_PREFIX).filter(|name| name.as_str().contains("__")).split("__");
        let settings: Self = figment.merge(environment).extract().map_err(|error| explain(place, error))?;
        let checked = settings.engine().check().map_err(|error| error.to_string());
        checked
            .and_then(|()| settings.server.check())
            .map_err(|error| format!("{}: {error}", place.display()))?;
        Ok(settings)
    }

    /// The engine's part.
    pub(crate) fn engine(&self) -> ringwall::Config {
        ringwall::Config {
            decision: self.decision.clone(),
            detection: self.detection.clone(),
            response: self.response.clone(),
        }
    }
}

/// Every mistake on a line of its own, with its key and where it came from.
fn explain(file: &Path, errors: figment::Error) -> String {
    let line = |error: figment::Error| {
        let key = error.path.join(".");
        let from_environment =
            error.metadata.as_ref().is_some_and(|source| source.name.contains("environment"));
        let place = if from_environment { "environment".to_owned() } else { file.display().to_string() };
        match error.kind {
            figment::error::Kind::UnknownField(field, known) => {
                let near = ringwall_types::nearest(&field, known.iter().copied());
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                let known = known.join(", ");
                format!("{place}: unknown key `{field}`{hint} (known here: {known})")
            }
            kind if key.is_empty() => format!("{place}: {kind}"),
            kind => format!("{place}: {key}: {kind}"),
        }
    };
    errors.into_iter().map(line).collect::<Vec<_>>().join("\n")
}
