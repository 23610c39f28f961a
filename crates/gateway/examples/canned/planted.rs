//! The planted values, and where they stand.
use serde_json::Value;

/// Values that must not arrive.
pub(super) struct Planted(Vec<String>);

impl Planted {
    pub(super) fn read(file: Option<&str>) -> Self {
        let text = file.map(|file| std::fs::read_to_string(file).unwrap()).unwrap_or_default();
        Self(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// How many of the values these bytes hold: as they are, or behind JSON's escapes, however often nested.
    pub(super) fn count(&self, bytes: &[u8]) -> usize {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        if let Ok(value) = serde_json::from_slice(bytes) {
            flatten(&value, &mut text);
        }
        self.0.iter().filter(|value| text.contains(value.as_str())).count()
    }

    /// The first of the values in a text.
    pub(super) fn first_in(&self, text: &str) -> Option<&str> {
        self.0.iter().map(String::as_str).find(|value| text.contains(value))
    }
}

/// Every string, key and number, and those inside of strings that are JSON.
pub(super) fn flatten(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => {
            out.push_str(text);
            out.push('\n');
            if text.starts_with(['{', '[', '"'])
                && let Ok(inner) = serde_json::from_str(text)
            {
                flatten(&inner, out);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| flatten(item, out)),
        Value::Object(members) => {
            for (key, value) in members {
                out.push_str(key);
                out.push('\n');
                flatten(value, out);
            }
        }
        Value::Number(number) => {
            out.push_str(&number.to_string());
            out.push('\n');
        }
        Value::Null | Value::Bool(_) => {}
    }
}
