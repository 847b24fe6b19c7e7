use super::*;

#[test]
fn an_action_has_an_area_and_a_verb() {
    let action: Action = "dataset:export".parse().unwrap();
    assert_eq!((action.area(), action.verb()), ("dataset", "export"));
}

#[test]
fn anything_else_is_refused() {
    for wrong in
        ["", ":", "dataset", "dataset:", ":export", "a:b:c", "data set:read", "dataset:read\n", "*:*"]
    {
        assert!(wrong.parse::<Action>().is_err(), "{wrong}");
    }
    assert!(format!("{}:x", "a".repeat(65)).parse::<Action>().is_err());
}
