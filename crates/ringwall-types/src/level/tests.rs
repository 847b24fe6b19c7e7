use super::*;

#[test]
fn a_clearance_covers_its_own_level_and_below() {
    for (rank, clearance) in Clearance::ALL.iter().enumerate() {
        for (level, sensitivity) in Sensitivity::ALL.iter().enumerate() {
            assert_eq!(clearance.covers(Some(*sensitivity)), level <= rank, "{clearance} {sensitivity}");
        }
    }
}

#[test]
fn unknown_sensitivity_is_the_highest_and_unknown_clearance_the_lowest() {
    assert!(!Clearance::Restricted.covers(None));
    assert!(Clearance::TopSecret.covers(None));
    assert!(!Clearance::default().covers(Some(Sensitivity::Internal)));
}

#[test]
fn severity_ignores_case_and_names_the_nearest() {
    assert_eq!("HIGH".parse::<Severity>().unwrap(), Severity::High);
    assert_eq!("Informational".parse::<Severity>().unwrap(), Severity::Info);
    let message = "hihg".parse::<Severity>().unwrap_err().to_string();
    assert_eq!(message, "severity: `hihg` is unknown; did you mean `high`?");
}

#[test]
fn levels_are_ordered_as_written() {
    assert!(Severity::Info < Severity::Critical && Sensitivity::Public < Sensitivity::TopSecret);
}
