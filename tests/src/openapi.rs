//! The document of the API, and whether answers keep to it.

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use serde_json::{Map, Value, json};

/// `openapi.yaml`.
pub static API: LazyLock<Document> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    Document(serde_saphyr::from_str(&fs::read_to_string(file).expect("openapi.yaml")).expect("YAML"))
});

#[derive(Debug)]
pub struct Document(Value);

impl Document {
    /// Method and path of each operation.
    pub fn operations(&self) -> BTreeSet<(String, String)> {
        let methods = |path: &str, operations: &Value| -> Vec<_> {
            let names = operations.as_object().expect("operations").keys();
            names.map(|method| (method.to_uppercase(), path.to_owned())).collect()
        };
        self.paths().iter().flat_map(|(path, operations)| methods(path, operations)).collect()
    }

    /// Each example in the document, and the pointer to the schema that it is one of.
    pub fn examples(&self) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        examples(&self.0, "", &mut found);
        found
    }

    /// Whether an answer is one of those that the document gives for the request. Null stands for an empty body.
    pub fn check(&self, method: &str, path: &str, status: u16, body: &Value) -> Result<(), String> {
        let path = path.split('?').next().unwrap_or_default();
        let template = self.paths().keys().find(|template| matches(template, path));
        let template = template.ok_or_else(|| format!("{path} is not in the document"))?;
        let escaped = template.replace('/', "~1");
        let answers = format!("/paths/{escaped}/{}/responses/{status}", method.to_lowercase());
        let answer = self.0.pointer(&answers).ok_or_else(|| format!("{method} {template} does not answer {status}"))?;
        let answer = match answer["$ref"].as_str() {
            Some(reference) => reference.trim_start_matches('#').to_owned(),
            None => answers,
        };
        let schema = format!("{answer}/content/application~1json/schema");
        match self.0.pointer(&schema) {
            Some(_) => self.validate(&schema, body).map_err(|error| format!("{method} {template} {status}: {error}")),
            None if body.is_null() => Ok(()),
            None => Err(format!("{method} {template} {status} has no body, not {body}")),
        }
    }

    /// Whether `value` is what the schema at `pointer` describes.
    pub fn validate(&self, pointer: &str, value: &Value) -> Result<(), String> {
        // The whole document is the schema, so that its references lead somewhere.
        let mut schema = self.0.clone();
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema["$ref"] = json!(format!("#{}", pointer.replace('{', "%7B").replace('}', "%7D")));
        let validator =
            jsonschema::options().should_validate_formats(true).build(&schema).map_err(|error| error.to_string())?;
        validator.validate(value).map_err(|error| format!("{error} at {}", error.instance_path()))
    }

    fn paths(&self) -> &Map<String, Value> {
        self.0["paths"].as_object().expect("paths")
    }
}

fn examples(value: &Value, pointer: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            if let (Some(example), true) = (fields.get("example"), fields.contains_key("schema")) {
                found.push((format!("{pointer}/schema"), example.clone()));
            }
            for (name, field) in fields.iter().filter(|(name, _)| *name != "example") {
                examples(field, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                examples(item, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn matches(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let fits =
        template.split('/').all(|wanted| segments.next().is_some_and(|is| wanted.starts_with('{') || wanted == is));
    fits && segments.next().is_none()
}
