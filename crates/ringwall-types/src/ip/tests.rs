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

#[track_caller]
fn contains(network: &str, address: &str) -> bool {
    network.parse::<IpNetwork>().unwrap().contains(address.parse().unwrap())
}

#[test]
fn a_network_holds_its_addresses_and_not_their_neighbours() {
    assert!(contains("192.0.2.0/24", "192.0.2.255") && !contains("192.0.2.0/24", "192.0.3.0"));
    assert!(contains("192.0.2.7", "192.0.2.7") && !contains("192.0.2.7", "192.0.2.6"));
    assert!(contains("0.0.0.0/0", "203.0.113.9") && !contains("0.0.0.0/0", "2001:db8::1"));
    assert!(contains("2001:db8::/32", "2001:db8:ffff::1") && !contains("2001:db8::/32", "2001:db9::1"));
    assert!(contains("::/0", "2001:db8::1"));
    assert!(contains("192.0.2.0/24", "::ffff:192.0.2.9"), "a mapped address is the address that it maps");
    assert!(contains("::ffff:192.0.2.0/120", "192.0.2.9"));
}

#[test]
fn what_is_no_network_is_refused() {
    for wrong in ["", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/+8", "10/8", "2001:db8::/129"] {
        assert!(wrong.parse::<IpNetwork>().is_err(), "{wrong}");
    }
}
