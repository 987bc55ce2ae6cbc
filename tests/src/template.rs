//! `template.yaml`, and its parts by what they are.

use std::path::Path;

use serde_json::Value as Yaml;

/// The resources that hold the tables of `calendar_sync::adapters::dynamo::tables::TABLES`, in the same order.
pub const TABLE_RESOURCES: [&str; 10] = [
    "CredentialsTable",
    "MappingsTable",
    "ExternalEventsTable",
    "SyncLogsTable",
    "OAuthStatesTable",
    "GoogleAccountsTable",
    "RateLimitsTable",
    "ErasuresTable",
    "InstructorsTable",
    "LessonsTable",
];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The template; what `CloudFormation` tags (`!Ref X`) reads as it is written (`X`).
pub fn template() -> Yaml {
    serde_saphyr::from_str(&std::fs::read_to_string(root().join("template.yaml")).unwrap()).unwrap()
}

pub fn text(yaml: &Yaml) -> String {
    yaml.as_str().unwrap_or_else(|| panic!("not a text: {yaml:?}")).to_owned()
}

pub fn list(yaml: &Yaml) -> &[Yaml] {
    yaml.as_array().map_or(&[], Vec::as_slice)
}

pub fn one_or_many(yaml: &Yaml) -> Vec<String> {
    yaml.as_array().map_or_else(|| vec![text(yaml)], |all| all.iter().map(text).collect())
}

pub fn entries(yaml: &Yaml) -> impl Iterator<Item = (&str, &Yaml)> {
    yaml.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

pub fn resources<'a>(template: &'a Yaml, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Yaml)> {
    entries(&template["Resources"]).filter(move |(_, resource)| resource["Type"].as_str() == Some(kind))
}

/// Each function by the name of its binary.
pub fn functions(template: &Yaml) -> Vec<(String, &Yaml)> {
    resources(template, "AWS::Serverless::Function")
        .map(|(_, function)| (text(&function["Metadata"]["BuildProperties"]["Binary"]), &function["Properties"]))
        .collect()
}

pub fn events<'a>(function: &'a Yaml, kind: &'a str) -> impl Iterator<Item = &'a Yaml> {
    entries(&function["Events"])
        .filter(move |(_, event)| event["Type"].as_str() == Some(kind))
        .map(|(_, event)| &event["Properties"])
}

/// What ties a queue or the stream to a function: the function's name, and how.
pub fn mappings(template: &Yaml) -> impl Iterator<Item = (String, &Yaml)> {
    resources(template, "AWS::Lambda::EventSourceMapping").map(|(_, mapping)| {
        let function = &template["Resources"][text(&mapping["Properties"]["FunctionName"]).as_str()];
        (text(&function["Metadata"]["BuildProperties"]["Binary"]), &mapping["Properties"])
    })
}

pub fn mapping_of<'a>(template: &'a Yaml, queue: &str) -> (String, &'a Yaml) {
    let of_queue = |(_, mapping): &(String, &Yaml)| mapping["EventSourceArn"].as_str() == Some(queue);
    mappings(template).find(of_queue).unwrap_or_else(|| panic!("no function handles {queue}"))
}

/// The mapping of the stream, which a condition chooses.
pub fn stream_mapping(template: &Yaml) -> (String, &Yaml) {
    mappings(template).find(|(_, mapping)| mapping["EventSourceArn"].is_array()).unwrap()
}
