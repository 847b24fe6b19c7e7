use super::*;

#[test]
fn a_mapped_address_is_the_address_that_it_maps() {
    let plain: IpAddress = "192.0.2.1".parse().unwrap();
    for spelling in ["::ffff:192.0.2.1", "::ffff:c000:201", "0:0:0:0:0:ffff:192.0.2.1"] {
        assert_eq!(spelling.parse::<IpAddress>().unwrap(), plain, "{spelling}");
    }
    assert_ne!("::192.0.2.1".parse::<IpAddress>().unwrap(), plain);
}

#[test]
fn what_is_no_address_is_refused() {
    for wrong in ["", "192.0.2", "192.0.2.1/24", "192.0.2.01", "localhost", " 192.0.2.1"] {
        assert!(wrong.parse::<IpAddress>().is_err(), "{wrong}");
    }
}
