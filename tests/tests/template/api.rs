//! The API: routes, and who may call them.

use std::collections::BTreeSet;

use local_stack::{deployment::ROUTES, gateway::Access};

use crate::reading::{events, functions, list, template, text};

#[test]
fn routes_and_who_may_call_them_are_those_of_the_one_machine_stack() {
    let template = template();
    let mut deployed = BTreeSet::new();
    for (name, function) in functions(&template) {
        for event in events(function, "HttpApi") {
            assert_eq!(text(&event["ApiId"]), "Api");
            let open = event["Auth"]["Authorizer"].as_str();
            assert!(matches!(open, None | Some("NONE")), "{name} has an authorizer of its own");
            let access = if open.is_some() { "Open" } else { "Token" };
            deployed.insert((text(&event["Method"]), text(&event["Path"]), name.clone(), access.to_owned()));
        }
        if !function["FunctionUrlConfig"].is_null() {
            assert_eq!(text(&function["FunctionUrlConfig"]["AuthType"]), "NONE");
            let path = "/api/v1/calendar/webhook".to_owned();
            deployed.insert(("POST".to_owned(), path, name, format!("{:?}", Access::FunctionUrl)));
        }
    }
    let local = ROUTES.iter().map(|route| {
        let access = format!("{:?}", route.access);
        (route.method.to_owned(), route.path.to_owned(), route.function.to_owned(), access)
    });
    assert_eq!(deployed, local.collect());
    let auth = &template["Resources"]["Api"]["Properties"]["Auth"];
    let authorizer = &auth["Authorizers"][text(&auth["DefaultAuthorizer"]).as_str()];
    assert_eq!(text(&authorizer["IdentitySource"]), "$request.header.Authorization");
    assert_eq!(text(&authorizer["JwtConfiguration"]["issuer"]), "JwtIssuer");
    assert_eq!(text(&authorizer["JwtConfiguration"]["audience"]), "JwtAudience");
}

#[test]
fn the_api_lets_in_listed_origins_alone_and_only_so_many_calls() {
    let template = template();
    let api = &template["Resources"]["Api"]["Properties"];
    let cors = &api["CorsConfiguration"];
    assert_eq!(text(&cors["AllowOrigins"]), "AllowedOrigins");
    let origins = &template["Parameters"]["AllowedOrigins"];
    assert!(origins["Default"].is_null(), "the deployment names them");
    assert_eq!(cors["AllowCredentials"].as_bool(), Some(true), "which `*` would not go with");
    let methods: BTreeSet<_> = list(&cors["AllowMethods"]).iter().map(text).collect();
    let used = ROUTES.iter().filter(|route| route.access != Access::FunctionUrl).map(|route| route.method.to_owned());
    assert_eq!(methods, used.collect());
    assert_eq!(list(&cors["AllowHeaders"]).iter().map(text).collect::<Vec<_>>(), ["authorization", "content-type"]);
    let limits = &api["DefaultRouteSettings"];
    assert!(limits["ThrottlingRateLimit"].as_i64().is_some_and(|rate| (1..=1000).contains(&rate)));
    assert!(limits["ThrottlingBurstLimit"].as_i64().is_some_and(|burst| (1..=2000).contains(&burst)));
    let webhook = &functions(&template).into_iter().find(|(name, _)| name == "webhook").unwrap().1;
    assert_eq!(text(&webhook["ReservedConcurrentExecutions"]), "WebhookConcurrency", "its address is open to all");
}
