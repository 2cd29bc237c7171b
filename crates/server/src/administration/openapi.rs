//! The OpenAPI 3.1 document, made from the list of routes and the shapes that they name.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::codes::Code;
use super::routes::{ROUTES, Route, path_parameter};
use super::shape::{Definitions, Shape};
use super::views::Problem;

/// The document.
pub(crate) fn document() -> Value {
    let mut definitions = Definitions::new();
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation(route, &mut definitions);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lunas admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Untuk operator: merchant, kunci, saldo, produk, pesanan, jejak audit. \
                For operators: merchants, keys, balances, products, orders, the audit record.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer",
                "description": "A token with the role viewer, operator or administrator. \
                    Each role may do what the ones before it may.",
            } },
        },
    })
}

fn operation(route: &Route, definitions: &mut Definitions) -> Value {
    let (indonesian, english) = route.about;
    let role = route.role.name();
    let mut operation = json!({
        "operationId": route.name,
        "summary": english,
        "description": format!("{indonesian} · {english} Needs the role {role} or a higher one."),
        "tags": [route.path.split('/').nth(3).unwrap_or_default()],
        "x-role": role,
        "parameters": parameters(route, definitions),
        "responses": responses(route, definitions),
    });
    if let Some(body) = route.body {
        let schema = body(definitions);
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema } },
        });
    }
    operation
}

fn parameters(route: &Route, definitions: &mut Definitions) -> Vec<Value> {
    let segments = route.path.split('/');
    let names = segments.filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = names
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": path_parameter(name) })
        })
        .collect();
    for parameter in route.query {
        parameters.push(json!({
            "name": parameter.name, "in": "query", "required": parameter.is_required,
            "description": parameter.about, "schema": (parameter.schema)(definitions),
        }));
    }
    if route.is_named() {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "Your own name for this request. The same name with the same content is \
                carried out once and answered alike for ever.",
            "schema": { "type": "string", "pattern": super::REQUEST_KEY_PATTERN },
            "example": "funding-2026-01-02-0001",
        }));
    }
    parameters
}

fn responses(route: &Route, definitions: &mut Definitions) -> Value {
    let answer = (route.answer)(definitions);
    let description =
        StatusCode::from_u16(route.status).ok().and_then(|it| it.canonical_reason()).unwrap_or("");
    let mut responses = json!({ route.status.to_string(): {
        "description": description,
        "content": { "application/json": { "schema": answer } },
    } });
    let problem = Problem::schema(definitions);
    for code in route.all_denials() {
        let (status, name, indonesian, english) = code.parts();
        let response = responses
            .as_object_mut()
            .map(|all| all.entry(status.to_string()).or_insert_with(|| denial(code, &problem)));
        let Some(response) = response else { continue };
        response["content"]["application/problem+json"]["examples"][name] = json!({ "value": {
            "type": "about:blank",
            "title": StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason()),
            "status": status, "code": name, "detail": english, "detail_id": indonesian,
        } });
    }
    responses
}

/// The first code of a status; the others of that status only add their examples.
fn denial(code: Code, problem: &Value) -> Value {
    let status = code.parts().0;
    let mut response = json!({
        "description": StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason()),
        "content": { "application/problem+json": { "schema": problem, "examples": {} } },
    });
    let header = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
    match status {
        401 => {
            response["headers"]["WWW-Authenticate"] = header("The scheme that is needed.");
        }
        409 | 503 => {
            response["headers"]["Retry-After"] =
                header("After how many seconds to try again, where trying again helps.");
        }
        _ => {}
    }
    response
}

/// The methods that a path has.
pub(crate) fn methods_of(path: &str) -> Vec<&'static Method> {
    let of_path = ROUTES.iter().filter(|route| route.matches(path).is_some());
    of_path.map(|route| &route.method).collect()
}
