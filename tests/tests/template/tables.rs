//! Tables: keys, indexes, and how they are guarded.

use calendar_sync::{
    adapters::dynamo::tables::{Holds, IndexDefinition, KeyKind, TABLES, TableDefinition},
    config::{Config, TableNames},
};
use calendar_tests::template::{TABLE_RESOURCES, entries, functions, list, one_or_many, resources, template, text};
use serde_json::Value as Yaml;

fn keys(yaml: &Yaml) -> Vec<(String, String)> {
    list(yaml).iter().map(|key| (text(&key["AttributeName"]), text(&key["KeyType"]))).collect()
}

fn expected_keys(partition: &str, sort: Option<&str>) -> Vec<(String, String)> {
    let sort = sort.map(|sort| (sort.to_owned(), "RANGE".to_owned()));
    std::iter::once((partition.to_owned(), "HASH".to_owned())).chain(sort).collect()
}

#[test]
fn tables_have_the_keys_and_indexes_that_the_code_creates() {
    let template = template();
    assert_eq!(resources(&template, "AWS::DynamoDB::Table").count(), TABLES.len());
    for (name, table) in TABLE_RESOURCES.iter().zip(&TABLES) {
        let deployed = &template["Resources"][*name]["Properties"];
        assert_eq!(keys(&deployed["KeySchema"]), expected_keys(table.partition, table.sort), "{name}");
        let attributes: Vec<_> = list(&deployed["AttributeDefinitions"])
            .iter()
            .map(|attribute| (text(&attribute["AttributeName"]), text(&attribute["AttributeType"])))
            .collect();
        let kind = |kind| match kind {
            KeyKind::Text => "S",
            KeyKind::Number => "N",
        };
        let expected: Vec<_> =
            table.key_attributes().into_iter().map(|(name, of)| (name.to_owned(), kind(of).to_owned())).collect();
        assert_eq!(attributes, expected, "{name}");
        for (property, local) in [("LocalSecondaryIndexes", true), ("GlobalSecondaryIndexes", false)] {
            let deployed = list(&deployed[property]);
            let defined: Vec<_> = table.indexes.iter().filter(|index| index.local == local).collect();
            assert_eq!(deployed.len(), defined.len(), "{name} {property}");
            for (deployed, defined) in deployed.iter().zip(defined) {
                assert_index(deployed, defined);
            }
        }
    }
}

fn assert_index(deployed: &Yaml, defined: &IndexDefinition) {
    assert_eq!(text(&deployed["IndexName"]), defined.name);
    let expected = expected_keys(defined.partition.0, Some(defined.sort.0));
    assert_eq!(keys(&deployed["KeySchema"]), expected, "{}", defined.name);
    let projection = &deployed["Projection"];
    let (kind, also): (_, &[&str]) = match defined.holds {
        Holds::Keys => ("KEYS_ONLY", &[]),
        Holds::Also(names) => ("INCLUDE", names),
    };
    assert_eq!(text(&projection["ProjectionType"]), kind, "{}", defined.name);
    let deployed: Vec<_> = list(&projection["NonKeyAttributes"]).iter().map(text).collect();
    assert_eq!(deployed, also, "{}", defined.name);
}

#[test]
fn tables_expire_stream_and_are_guarded_as_they_should() {
    let template = template();
    for (name, table) in TABLE_RESOURCES.iter().zip(&TABLES) {
        let resource = &template["Resources"][*name];
        let deployed = &resource["Properties"];
        let expiry = &deployed["TimeToLiveSpecification"];
        assert_eq!(expiry["AttributeName"].as_str(), table.ttl, "{name}");
        assert_eq!(expiry["Enabled"].as_bool(), table.ttl.map(|_| true), "{name}");
        let images = deployed["StreamSpecification"]["StreamViewType"].as_str();
        assert_eq!(images, table.stream.then_some("NEW_AND_OLD_IMAGES"), "{name}");
        assert_eq!(deployed["SSESpecification"]["SSEEnabled"].as_bool(), Some(true), "{name}");
        // Logins in progress and the reservations of the last minute may be lost.
        let keeps = !matches!(*name, "OAuthStatesTable" | "RateLimitsTable");
        let restorable = &deployed["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        assert_eq!(restorable.as_bool(), keeps.then_some(true), "{name}");
        let protection = &deployed["DeletionProtectionEnabled"];
        assert_eq!(protection.as_str(), keeps.then_some("DeletionProtection"), "{name}");
    }
}

/// A deployment that fails takes back what it made, a stack that is deleted leaves what it kept, and either can be deployed
/// again: no name is taken.
#[test]
fn a_deployment_can_be_repeated_and_an_account_can_have_several() {
    let template = template();
    let [mut kept, mut lost] = [0, 0];
    for (name, resource) in entries(&template["Resources"]) {
        match (resource["DeletionPolicy"].as_str(), resource["UpdateReplacePolicy"].as_str()) {
            (None, None) => {}
            (Some("RetainExceptOnCreate"), Some("Retain")) => kept += 1,
            (Some("Delete"), Some("Delete")) => lost += 1,
            other => panic!("{name}: {other:?}"),
        }
        let is_taken = |(property, value): &(&str, &Yaml)| {
            let of_the_account = property.ends_with("Name") && !["MetricName", "LogGroupName"].contains(property);
            let names_a_part =
                || text(value).contains("AWS::StackName") || !template["Resources"][text(value)].is_null();
            of_the_account && !names_a_part()
        };
        // The first two have their names within an API, the third has whoever deploys.
        let free = ["Authorizer", "Stage", "DomainName"].map(|kind| format!("AWS::ApiGatewayV2::{kind}"));
        if !free.contains(&text(&resource["Type"])) {
            assert_eq!(entries(&resource["Properties"]).find(is_taken), None, "{name}");
        }
    }
    assert_eq!([kept, lost], [TABLES.len(), 2], "tables but two, the key and the secret are kept");
    assert_eq!(
        template["Parameters"]["DeletionProtection"]["Default"], "false",
        "a protected table cannot be taken back"
    );
}

/// A function is told the names of the tables that it may use. Of others it would have the names of the specification,
/// which are nobody's here.
#[test]
fn the_environment_names_the_tables_that_a_function_may_use() {
    let template = template();
    let by_default = Config::from_vars(|_| None).tables();
    for (function, properties) in functions(&template) {
        let given: Vec<_> = entries(&properties["Environment"]["Variables"])
            .map(|(name, value)| (name.to_owned(), one_or_many(value).join(" ")))
            .collect();
        let names: TableNames = Config::from_vars(move |wanted| {
            given.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
        })
        .tables();
        let policies = properties["Policies"].to_string();
        for (resource, TableDefinition { name, .. }) in TABLE_RESOURCES.iter().zip(&TABLES) {
            let may_use = policies.contains(&format!("{resource}.Arn"));
            let of_the_host = matches!(*resource, "InstructorsTable" | "LessonsTable");
            let expected = match (may_use, of_the_host) {
                (true, true) => &format!("CreateHostTables {resource} {resource}Name"),
                (true, false) => *resource,
                (false, _) => name(&by_default),
            };
            assert_eq!(name(&names), expected, "{function}");
        }
    }
}
