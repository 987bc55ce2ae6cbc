//! Parameters: what a deployment refuses before it makes anything.

use calendar_tests::template::template;
use serde_json::json;

#[test]
fn a_parameter_that_could_not_work_is_refused_before_anything_is_made() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let stream = "arn:aws:dynamodb:eu-central-1:123456789012:table/lessons/stream/2026-01-01T00:00:00.000";
    for (parameter, good, bad) in [
        ("WebhookKey", vec![key], vec!["", "short", &key[..43], "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd-_8="]),
        ("WebhookKeyBefore", vec!["", key], vec!["short"]),
        (
            "AllowedOrigins",
            vec!["https://www.example.com", "http://localhost:5173"], // each for itself
            vec!["", "*", "www.example.com", "https://www.example.com/", " https://b.example"],
        ),
        ("LessonsStreamArn", vec!["", stream], vec!["lessons", &stream[..57]]),
        ("AlarmTopicArn", vec!["", "arn:aws:sns:eu-central-1:123456789012:alarms"], vec!["alarms"]),
        ("ApiDomainName", vec!["", "calendar.example.com"], vec!["https://calendar.example.com", "calendar", "a.com/"]),
        (
            "ApiCertificateArn",
            vec!["", "arn:aws:acm:eu-central-1:123456789012:certificate/0"],
            vec!["0", &stream[..57]],
        ),
        ("LessonsTableName", vec!["lessons"], vec!["", "a/b"]),
        ("InstructorsTableName", vec!["instructors"], vec!["", "a/b"]),
        ("JwtIssuer", vec!["https://issuer.example"], vec!["http://issuer.example", "issuer.example"]),
    ] {
        let pattern = json!({ "pattern": template()["Parameters"][parameter]["AllowedPattern"] });
        for value in good {
            assert!(jsonschema::is_valid(&pattern, &json!(value)), "{parameter} refuses {value}");
        }
        for value in bad {
            assert!(!jsonschema::is_valid(&pattern, &json!(value)), "{parameter} takes {value:?}");
        }
    }
}

#[test]
fn tables_that_exist_come_with_the_stream_of_the_lessons() {
    let rule = &template()["Rules"]["AnExistingLessonsTableHasAStream"];
    assert_eq!(rule["RuleCondition"], json!(["HostTables", "existing"]));
    assert_eq!(rule["Assertions"][0]["Assert"], json!([["LessonsStreamArn", ""]]), "unless it is empty");
}

/// A name whose certificate nobody has would be refused by API Gateway, in the middle of the deployment.
#[test]
fn a_domain_comes_with_its_certificate_and_leads_to_the_api() {
    let template = template();
    let rule = &template["Rules"]["ADomainHasACertificate"];
    assert_eq!(rule["RuleCondition"], json!([["ApiDomainName", ""]]), "unless it is empty");
    assert_eq!(rule["Assertions"][0]["Assert"], json!([["ApiCertificateArn", ""]]), "unless it is empty");
    let [domain, mapping] = ["ApiDomain", "ApiDomainMapping"].map(|name| &template["Resources"][name]);
    assert_eq!([&domain["Condition"], &mapping["Condition"]], ["HasDomain"; 2]);
    let certificate = &domain["Properties"]["DomainNameConfigurations"][0]["CertificateArn"];
    assert_eq!([&domain["Properties"]["DomainName"], certificate], ["ApiDomainName", "ApiCertificateArn"]);
    assert_eq!(mapping["Properties"], json!({ "ApiId": "Api", "DomainName": "ApiDomain", "Stage": "ApiStage" }));
    assert_eq!(template["Outputs"]["ApiUrl"]["Value"][1], "https://${ApiDomainName}");
}
