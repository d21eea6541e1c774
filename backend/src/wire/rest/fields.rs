//! A JSON object, read field by field, so that whatever is wrong is answered with the field's name.
//!
//! Unknown fields are ignored: a client of a later version may send more. A `null` is an absent field.

use serde_json::{Map, Value};

use crate::refusal::{Code, Refusal};

/// The fields of a request's body.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a body.
    ///
    /// # Errors
    /// `invalid_json` when it is not a JSON object.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Refusal::new(Code::InvalidJson, "the body must be a JSON object")),
            // The parser's words name a line and column, and never quote what people wrote.
            Err(error) => Err(Refusal::new(Code::InvalidJson, format!("the body is not JSON: {error}"))),
        }
    }

    /// Whatever there is; `None` when it is absent.
    pub fn take(&mut self, field: &'static str) -> Option<Value> {
        self.0.remove(field).filter(|value| !value.is_null())
    }

    /// Whatever is given, a null too, where that means something else than absence; `None` when it is absent.
    pub fn given(&mut self, field: &'static str) -> Option<Value> {
        self.0.remove(field)
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn text(&mut self, field: &'static str) -> Result<String, Refusal> {
        self.optional_text(field)?.ok_or_else(|| Refusal::field(field, "is missing"))
    }

    /// A text that may be absent.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn optional_text(&mut self, field: &'static str) -> Result<Option<String>, Refusal> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(Refusal::field(field, format!("must be a string, not {}", kind_of(&other)))),
        }
    }

    /// A truth value that may be absent.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn optional_flag(&mut self, field: &'static str) -> Result<Option<bool>, Refusal> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => {
                Err(Refusal::field(field, format!("must be true or false, not {}", kind_of(&other))))
            }
        }
    }

    /// At most `max` texts, or none at all.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn optional_texts(
        &mut self,
        field: &'static str,
        max: usize,
    ) -> Result<Option<Vec<String>>, Refusal> {
        let items = match self.0.remove(field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(other) => {
                return Err(Refusal::field(field, format!("must be a list, not {}", kind_of(&other))));
            }
        };
        if items.len() > max {
            return Err(Refusal::field(field, format!("must be at most {max} (got {})", items.len())));
        }
        let text = |item| match item {
            Value::String(text) => Ok(text),
            other => {
                Err(Refusal::field(field, format!("must be a list of strings, not of {}", kind_of(&other))))
            }
        };
        items.into_iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A whole number from zero that must be there.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn number(&mut self, field: &'static str) -> Result<u64, Refusal> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Err(Refusal::field(field, "is missing")),
            Some(Value::Number(number)) => {
                number.as_u64().ok_or_else(|| Refusal::field(field, "must be a whole number from 0"))
            }
            Some(other) => Err(Refusal::field(field, format!("must be a number, not {}", kind_of(&other)))),
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let mut fields = Fields::parse(br#"{"a":"x","b":5,"c":null,"d":-1,"e":{},"unknown":[]}"#).unwrap();
        assert_eq!(fields.text("a").unwrap(), "x");
        let message = |outcome: Result<String, Refusal>| outcome.unwrap_err().to_string();
        assert_eq!(message(fields.text("b")), "b must be a string, not a number");
        assert_eq!(message(fields.text("c")), "c is missing");
        assert_eq!(fields.optional_text("absent"), Ok(None));
        assert_eq!(fields.number("d").unwrap_err().field, Some("d"));
        assert_eq!(fields.number("e").unwrap_err().to_string(), "e must be a number, not an object");
    }

    #[test]
    fn other_json_is_refused() {
        for body in ["", "[]", "\"x\"", "{", "{\"a\":1}}", "\u{feff}{}", "{\"a\":\"\\ud800\"}"] {
            assert_eq!(Fields::parse(body.as_bytes()).unwrap_err().code, Code::InvalidJson, "{body}");
        }
        assert!(Fields::parse(b"{\"a\":\"\xff\"}").is_err());
        assert!(Fields::parse("[".repeat(100_000).as_bytes()).is_err());
    }
}
