use super::*;

/// One operand of each operator, in its own spelling.
fn operands() -> impl Iterator<Item = (Operator, Value)> {
    let json = |operator: Operator| match operator {
        Operator::Equals | Operator::NotEquals => r#"{"a": [1, true]}"#,
        Operator::In | Operator::NotIn => "[1, 2.5]",
        Operator::Contains | Operator::NotContains | Operator::StartsWith | Operator::EndsWith => r#""x""#,
        Operator::Intersects | Operator::DisjointFrom | Operator::SubsetOf | Operator::SupersetOf => {
            r#"["x", 1]"#
        }
        Operator::GreaterThan | Operator::GreaterThanOrEqual => "2.5",
        Operator::LessThan | Operator::LessThanOrEqual | Operator::Before | Operator::After => {
            r#""2024-01-31T00:00:00Z""#
        }
        Operator::Between => "[1, 2]",
        Operator::Exists => "false",
        Operator::WithinHours => r#"["22:00", "06:30"]"#,
        Operator::WithinMinutes => "15",
        Operator::WithinDays => "0.5",
        Operator::IpIn => r#"["10.0.0.0/8", "2001:db8::/32"]"#,
    };
    Operator::ALL.iter().map(move |operator| (*operator, serde_json::from_str(json(*operator)).unwrap()))
}

#[test]
fn an_operand_survives_being_parsed_and_written_again() {
    for (operator, operand) in operands() {
        let test = Test::new(operator, operand.clone()).unwrap();
        assert_eq!((test.operator(), test.operand()), (operator, operand));
    }
}

#[test]
fn every_operator_is_found_by_its_own_name_only() {
    for operator in Operator::ALL {
        assert_eq!(Operator::from_name(operator.as_str()), Some(*operator));
        assert_eq!(Operator::from_name(&operator.as_str().to_uppercase()), None);
        assert!(!UNSUPPORTED.contains(&operator.as_str()));
    }
}

#[test]
fn a_list_of_no_blocks_is_refused() {
    assert!(Test::new(Operator::IpIn, Value::List(Vec::new())).is_err());
    assert!(Test::new(Operator::IpIn, Value::from(vec![7_i64])).is_err());
}

#[test]
fn every_operator_is_in_the_documents() {
    let text = include_str!("../../../../docs/policies.md");
    for operator in Operator::ALL {
        assert!(
            text.contains(&format!("`{}`", operator.as_str())),
            "docs/policies.md lacks `{}`",
            operator.as_str()
        );
    }
}
