//! The API: routes, and who may call them.

use calendar_tests::template::{functions, list, one_or_many, resources, template, text};
use std::collections::{BTreeMap, BTreeSet};

use local_stack::{deployment::ROUTES, gateway::Access};

use serde_json::{Value, json};

/// A route without a token is the login's return. Google's notices come by a function's own address.
#[test]
fn routes_and_who_may_call_them_are_those_of_the_one_machine_stack() {
    let template = template();
    let mut deployed = BTreeSet::new();
    for (name, route) in resources(&template, "AWS::ApiGatewayV2::Route") {
        let route = &route["Properties"];
        let access = match (text(&route["AuthorizationType"]).as_str(), route["AuthorizerId"].as_str()) {
            ("JWT", Some("CallersTokens")) => "Token",
            ("NONE", None) => "Open",
            other => panic!("{name}: {other:?}"),
        };
        let key = text(&route["RouteKey"]);
        let (method, path) = key.split_once(' ').unwrap();
        deployed.insert((method.to_owned(), path.to_owned(), function_behind(&template, route), access.to_owned()));
    }
    for (name, function) in functions(&template).iter().filter(|(_, function)| !function["FunctionUrlConfig"].is_null())
    {
        assert_eq!(text(&function["FunctionUrlConfig"]["AuthType"]), "NONE");
        let path = "/api/v1/calendar/webhook".to_owned();
        deployed.insert(("POST".to_owned(), path, name.clone(), format!("{:?}", Access::FunctionUrl)));
    }
    let local = ROUTES.iter().map(|route| {
        let access = format!("{:?}", route.access);
        (route.method.to_owned(), route.path.to_owned(), route.function.to_owned(), access)
    });
    assert_eq!(deployed, local.collect());
    let tokens = &template["Resources"]["CallersTokens"]["Properties"];
    assert_eq!(tokens["AuthorizerType"], "JWT");
    assert_eq!(one_or_many(&tokens["IdentitySource"]), ["$request.header.Authorization"]);
    assert_eq!(tokens["JwtConfiguration"], json!({ "Issuer": "JwtIssuer", "Audience": "JwtAudience" }));
}

/// The function that answers a route. The API alone may call it for that, with events in the format that it reads.
fn function_behind(template: &Value, route: &Value) -> String {
    let target = text(&route["Target"]);
    let integration = target.strip_prefix("integrations/${").unwrap().trim_end_matches('}');
    let integration = &template["Resources"][integration]["Properties"];
    assert_eq!(
        (&integration["PayloadFormatVersion"], &integration["IntegrationType"]),
        (&json!("2.0"), &json!("AWS_PROXY"))
    );
    let uri = text(&integration["IntegrationUri"]);
    let function = uri.strip_suffix(".Arn").unwrap();
    let callers: Vec<_> = resources(template, "AWS::Lambda::Permission")
        .map(|(_, permission)| &permission["Properties"])
        .filter(|permission| permission["FunctionName"] == function)
        .map(|permission| (text(&permission["Principal"]), text(&permission["SourceArn"])))
        .collect();
    let [(service, arn)] = callers.as_slice() else { panic!("{function} may be called by {callers:?}") };
    assert_eq!(service, "apigateway.amazonaws.com");
    assert!(arn.ends_with("${AWS::AccountId}:${Api}/*"), "{function} may be called by {arn}");
    text(&template["Resources"][function]["Metadata"]["BuildProperties"]["Binary"])
}

/// What SAM generates is imported, and an import leaves out what it cannot make: with a wrong issuer, the routes that need
/// it. Written out, each part that cannot be made fails the deployment.
#[test]
fn the_api_is_written_out_and_not_imported() {
    let template = template();
    let generated = |kind| resources(&template, kind).count();
    assert_eq!(["AWS::Serverless::HttpApi", "AWS::Serverless::Api"].map(generated), [0, 0]);
    assert!(template["Resources"]["Api"]["Properties"]["Body"].is_null());
    let stage = &template["Resources"]["ApiStage"]["Properties"];
    assert_eq!(
        (&stage["StageName"], &stage["AutoDeploy"]),
        (&json!("$default"), &json!(true)),
        "the API's own address"
    );
    for part in ["Stage", "Authorizer", "Route", "Integration"] {
        for (name, part) in resources(&template, &format!("AWS::ApiGatewayV2::{part}")) {
            assert_eq!(part["Properties"]["ApiId"], "Api", "{name}");
        }
    }
}

#[test]
fn the_api_lets_in_listed_origins_alone_and_only_so_many_calls() {
    let template = template();
    let api = &template["Resources"]["Api"]["Properties"];
    let cors = &api["CorsConfiguration"];
    assert_eq!(text(&cors["AllowOrigins"]), "AllowedOrigins");
    let origins = &template["Parameters"]["AllowedOrigins"];
    assert_eq!(origins["Type"], "CommaDelimitedList");
    assert!(origins["Default"].is_null(), "the deployment names them");
    assert_eq!(cors["AllowCredentials"].as_bool(), Some(true), "which `*` would not go with");
    let methods: BTreeSet<_> = list(&cors["AllowMethods"]).iter().map(text).collect();
    let used = ROUTES.iter().filter(|route| route.access != Access::FunctionUrl).map(|route| route.method.to_owned());
    assert_eq!(methods, used.collect());
    assert_eq!(one_or_many(&cors["AllowHeaders"]), ["authorization", "content-type", "if-none-match"]);
    assert_eq!(one_or_many(&cors["ExposeHeaders"]), ["etag"]);
    let limits = &template["Resources"]["ApiStage"]["Properties"]["DefaultRouteSettings"];
    assert!(limits["ThrottlingRateLimit"].as_i64().is_some_and(|rate| (1..=1000).contains(&rate)));
    assert!(limits["ThrottlingBurstLimit"].as_i64().is_some_and(|burst| (1..=2000).contains(&burst)));
}

/// Paths have ids, queries a login's code and state, headers the callers' tokens.
#[test]
fn access_logs_name_the_route_and_neither_path_nor_query_nor_header() {
    let template = template();
    let settings = &template["Resources"]["ApiStage"]["Properties"]["AccessLogSettings"];
    assert_eq!(text(&settings["DestinationArn"]), "AccessLogs.Arn");
    let line: BTreeMap<String, String> = serde_json::from_str(&text(&settings["Format"])).unwrap();
    let logged: Vec<_> = line.values().map(|value| value.trim_start_matches("$context.")).collect();
    assert_eq!(
        logged,
        [
            "authorizer.error",
            "integrationErrorMessage",
            "responseLatency",
            "requestId",
            "routeKey",
            "status",
            "requestTime"
        ]
    );
}

/// An account of ten executions at once, as a new one may have, lets none be reserved.
#[test]
fn the_webhook_reserves_executions_only_where_a_deployment_says_how_many() {
    let template = template();
    let webhook = &functions(&template).into_iter().find(|(name, _)| name == "webhook").unwrap().1;
    let reserved = one_or_many(&webhook["ReservedConcurrentExecutions"]);
    assert_eq!(reserved, ["ReservesWebhook", "WebhookConcurrency", "AWS::NoValue"]);
    assert_eq!(template["Conditions"]["ReservesWebhook"], json!([["WebhookConcurrency", 0]]), "unless it is none");
    assert_eq!(template["Parameters"]["WebhookConcurrency"]["Default"], 0);
    let others = functions(&template).into_iter().filter(|(name, _)| name != "webhook");
    assert!(others.map(|(_, function)| &function["ReservedConcurrentExecutions"]).all(Value::is_null));
}
