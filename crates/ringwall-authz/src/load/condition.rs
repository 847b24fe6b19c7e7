//! The conditions of one policy: `{"user.role": {equals: admin, ignore_case: true}}`.
//!
//! Promises: each operator of each map becomes one condition with the modifiers of its map; a modifier that none of
//! the operators beside it can use is an error, because somebody relied on it.

use ringwall_types::{Timestamp, Value};

use super::{flag, wrong_type, zone};
use crate::condition::{Case, Truth, Why, ask};
use crate::error::{Fault, Known, LoadErrorKind, LoadErrors, Scope, quoted};
use crate::limits::CONDITIONS_MAX;
use crate::operator::{Operator, Test, UNSUPPORTED};
use crate::policy::{AttributePath, Condition, Root};
use crate::set::within;
use crate::tree::{Data, Key, Node};
use crate::zone::Zone;

/// Reads every condition; `None` when any of them has an error, all of which are then reported.
pub(super) fn read_conditions(
    node: &Node,
    scope: Scope<'_>,
    errors: &mut LoadErrors,
) -> Option<Vec<Condition>> {
    let Data::Map(entries) = &node.data else {
        let message = "`conditions` must be a map from attribute paths to operators";
        errors.add(scope, wrong_type(node, message));
        return None;
    };
    // Counted before anything is built, because each condition gets its own copy of a default.
    let is_operator = |(key, _): &&(Key, Node)| !MODIFIERS.contains(&key.text.as_str());
    let operators: usize =
        entries.iter().map(|(_, tests)| tests.entries().iter().filter(is_operator).count()).sum();
    let count = operators.max(entries.len());
    errors
        .keep(scope, within(count, CONDITIONS_MAX, "conditions").map_err(|fault| fault.at(node.position)))?;
    let read: Vec<_> = entries
        .iter()
        .map(|(key, tests)| {
            let scope = Scope { path: Some(&key.text), ..scope };
            let path = errors.keep(scope, attribute_path(key));
            let tests = read_tests(tests, scope, errors);
            Some(conditions(&path?, tests?))
        })
        .collect();
    let conditions: Option<Vec<Vec<Condition>>> = read.into_iter().collect();
    Some(conditions?.into_iter().flatten().collect())
}

fn attribute_path(key: &Key) -> Result<AttributePath, Fault> {
    let root = key.text.split('.').next().unwrap_or_default();
    if Root::from_name(root).is_none() {
        let message =
            format!("root {} is unknown; a path begins with {}", quoted(root), Root::NAMES.join(", "));
        let fault = Fault::new(LoadErrorKind::UnknownRoot, message).at(key.position);
        return Err(fault.instead_of(root, Known::Names(Root::NAMES)));
    }
    key.text
        .parse()
        .map_err(|error: ringwall_types::InvalidValue| {
            Fault::new(LoadErrorKind::InvalidName, error.to_string())
        })
        .map_err(|fault| fault.at(key.position))
}

/// The operators and modifiers under one path.
#[derive(Default)]
struct Tests {
    tests: Vec<Test>,
    default: Option<Value>,
    ignore_case: bool,
    timezone: Option<Zone>,
}

/// One condition for each operator; a modifier goes to those operators that can use it.
fn conditions(path: &AttributePath, read: Tests) -> Vec<Condition> {
    let Tests { tests, default, ignore_case, timezone } = read;
    let condition = |test: Test| Condition {
        path: path.clone(),
        default: default.clone().filter(|_| test.operator() != Operator::Exists),
        ignore_case: ignore_case && test.operator().reads_text(),
        timezone: timezone.clone().filter(|_| test.operator() == Operator::WithinHours),
        test,
    };
    tests.into_iter().map(condition).collect()
}

fn read_tests(node: &Node, scope: Scope<'_>, errors: &mut LoadErrors) -> Option<Tests> {
    let Data::Map(entries) = &node.data else {
        errors.add(scope, wrong_type(node, "must be a map of operators, such as `{equals: …}`"));
        return None;
    };
    let mut read = Tests::default();
    let mut complete = true;
    for (key, operand) in entries {
        let scope = Scope { operator: Some(&key.text), ..scope };
        let kept = match key.text.as_str() {
            DEFAULT => errors.keep(scope, operand.to_value()).map(|value| read.default = Some(value)),
            IGNORE_CASE => errors.keep(scope, flag(operand)).map(|flag| read.ignore_case = flag),
            TIMEZONE => errors.keep(scope, zone(operand)).map(|zone| read.timezone = Some(zone)),
            _ => errors.keep(scope, test(key, operand)).map(|test| read.tests.push(test)),
        };
        complete &= kept.is_some();
    }
    if !complete {
        return None;
    }
    if read.tests.is_empty() {
        let message = "has no operator, so it would always hold";
        errors.add(scope, Fault::new(LoadErrorKind::MissingKey, message).at(node.position));
        return None;
    }
    let before = errors.count();
    for (key, _) in entries {
        let scope = Scope { operator: Some(&key.text), ..scope };
        errors.keep(scope, check_modifier(key, &read));
    }
    (errors.count() == before).then_some(read)
}

fn test(key: &Key, operand: &Node) -> Result<Test, Fault> {
    let Some(operator) = Operator::from_name(&key.text) else {
        return Err(unknown(key));
    };
    let value = operand.to_value()?;
    Test::new(operator, value)
        .map_err(|error| Fault::new(LoadErrorKind::InvalidOperand, error.to_string()).at(operand.position))
}

fn unknown(key: &Key) -> Fault {
    if UNSUPPORTED.contains(&key.text.as_str()) {
        let message = format!("operator {} is not supported in this version", quoted(&key.text));
        return Fault::new(LoadErrorKind::UnsupportedOperator, message).at(key.position);
    }
    let message = format!("operator {} is unknown", quoted(&key.text));
    Fault::new(LoadErrorKind::UnknownOperator, message)
        .instead_of(&key.text, Known::Search(nearest_operator))
        .at(key.position)
}

fn nearest_operator(given: &str) -> Option<String> {
    let operators = Operator::ALL.iter().map(|operator| operator.as_str());
    let names = operators.chain(MODIFIERS).chain(UNSUPPORTED.iter().copied());
    ringwall_types::nearest(given, names).map(str::to_owned)
}

/// Refuses a modifier that no operator beside it can use.
fn check_modifier(key: &Key, read: &Tests) -> Result<(), Fault> {
    let fault = |message: &str| Fault::new(LoadErrorKind::InvalidModifier, message).at(key.position);
    let any = |uses: fn(Operator) -> bool| read.tests.iter().any(|test| uses(test.operator()));
    match key.text.as_str() {
        IGNORE_CASE if !any(Operator::reads_text) => Err(fault("no operator beside it compares text")),
        TIMEZONE if !any(|operator| operator == Operator::WithinHours) => {
            Err(fault("no operator beside it reads a wall clock"))
        }
        DEFAULT if !any(|operator| operator != Operator::Exists) => {
            Err(fault("`exists` asks for the attribute itself, so a default has no use"))
        }
        DEFAULT => match read.tests.iter().find(|test| cannot_take(test, read.default.as_ref())) {
            Some(test) => {
                Err(fault(&format!("the default is of a kind that `{}` cannot take", test.operator())))
            }
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Whether the test would be undecided on its own default, whatever the time.
fn cannot_take(test: &Test, default: Option<&Value>) -> bool {
    let asked = default.map(|value| ask(test, value, Case::Exact, &Zone::UTC, Timestamp::MIN));
    asked == Some(Truth::Undecided(Why::TypeError)) && test.operator() != Operator::Exists
}

const DEFAULT: &str = "default";
const IGNORE_CASE: &str = "ignore_case";
const TIMEZONE: &str = "timezone";
const MODIFIERS: [&str; 3] = [DEFAULT, IGNORE_CASE, TIMEZONE];
