//! Closed sets of names: one macro gives an enum its text form, its parser with "did you mean", serde and schema.

/// The candidate most like `given`, if any is near enough to be a typo of it.
///
/// Near means at least 70 % alike by Jaro–Winkler similarity (Winkler 1990), which favours a common prefix.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE_MIN: f64 = 0.7;
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&given.to_ascii_lowercase(), candidate), candidate))
        .filter(|(alike, _)| *alike >= ALIKE_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Attacker-controlled text for a message: in backticks, without control characters, at most 60 characters of it.
pub fn quoted(given: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    let clean: String = given.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect();
    if clean.len() < given.len() { format!("`{clean}…`") } else { format!("`{clean}`") }
}

/// Declares an enum with a fixed text for each variant; parsing ignores ASCII case and knows the aliases.
macro_rules! closed_names {
    (
        $(#[$meta:meta])*
        pub enum $name:ident as $what:literal {
            $( $(#[$vmeta:meta])* $variant:ident = $text:literal $(| $alias:literal)* ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        pub enum $name { $( $(#[$vmeta])* $variant ),+ }

        impl $name {
            /// Every variant, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in JSON, YAML, logs and on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.as_str()) }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::InvalidValue;

            fn from_str(given: &str) -> Result<Self, Self::Err> {
                match given.to_ascii_lowercase().as_str() {
                    $( $text $(| $alias)* => Ok(Self::$variant), )+
                    _ => Err($crate::names::unknown($what, given, &[$($text),+])),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let given = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                given.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($text),+] })
            }
        }
    };
}
pub(crate) use closed_names;

/// The error for a name outside a closed set, with the nearest member and the whole set.
pub(crate) fn unknown(what: &'static str, given: &str, known: &[&str]) -> crate::InvalidValue {
    let hint = match nearest(given, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known are {}", known.join(", ")),
    };
    crate::InvalidValue::new(what, format!("{} is unknown; {hint}", quoted(given)))
}
