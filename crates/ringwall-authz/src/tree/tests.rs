use super::*;

#[test]
fn keys_and_values_know_their_line_and_column() {
    let tree = Node::from_yaml("a: 1\nb:\n  - x\n  - {c: ~}\n").unwrap();
    let place = |position: Option<Position>| position.map(|Position { line, column }| (line, column));
    let [(a, one), (b, list)] = tree.entries() else { panic!("{tree:?}") };
    assert_eq!((place(a.position), place(one.position)), (Some((1, 1)), Some((1, 4))));
    assert_eq!(place(b.position), Some((2, 1)));
    let Data::List(nodes) = &list.data else { panic!("{list:?}") };
    assert_eq!(place(nodes[0].position), Some((3, 5)));
    assert_eq!(place(nodes[1].entries()[0].0.position), Some((4, 6)));
}

#[test]
fn an_unreadable_text_is_one_fault() {
    for text in ["a: [", "a: b: c", "\"", "@", "a: \u{7}"] {
        assert!(Node::from_yaml(text).is_err(), "{text}");
    }
}
