//! Reading a data set; every error names the file.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of a data set.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn open(place: &Path) -> Result<Self, String> {
        if place.is_dir() { Ok(Self(place.to_path_buf())) } else { Err("is no folder".to_owned()) }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(name)).map_err(|error| format!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, String> {
        String::from_utf8(self.bytes(name)?).map_err(|error| format!("{name}: {error}"))
    }

    pub(crate) fn json(&self, name: &str) -> Result<Value, String> {
        serde_json::from_slice(&self.bytes(name)?).map_err(|error| format!("{name}: {error}"))
    }

    /// One JSON value a line.
    pub(crate) fn lines(&self, name: &str) -> Result<Vec<Value>, String> {
        let text = self.text(name)?;
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let parsed = lines.map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| format!("{name}, line {number}: {error}"))
        });
        parsed.collect()
    }

    /// The folder itself, if it has `marker`, and every folder in it that has, by name.
    pub(crate) fn with(&self, marker: &str) -> Result<Vec<(String, Self)>, String> {
        let mut found = Vec::new();
        if self.has(marker) {
            found.push((".".to_owned(), Self(self.0.clone())));
        }
        let entries = std::fs::read_dir(&self.0).map_err(|error| error.to_string())?;
        for entry in entries {
            let entry = entry.map_err(|error| error.to_string())?;
            let inner = Self(entry.path());
            if inner.has(marker) {
                found.push((entry.file_name().to_string_lossy().into_owned(), inner));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// Names of the files directly in the folder, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>, String> {
        let entries = std::fs::read_dir(&self.0).map_err(|error| error.to_string())?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        let mut names = names.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        names.sort();
        Ok(names)
    }
}
