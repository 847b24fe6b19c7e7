//! Traffic with known attacks in it.
//!
//! Promises: the background alone is no attack to any named rule; each attack is one; the same seed gives the same
//! lines and requests. Lines are in order of time.

use std::collections::BTreeSet;

use ringwall_types::{AccessRequest, Timestamp};

use crate::Random;
use crate::requests::{failed_login, request_from, successful_login};

/// What to make.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// From this everything follows.
    pub seed: u64,
    /// When it begins.
    pub start: Timestamp,
    /// Over how many seconds it is spread.
    pub secs: u64,
    /// How many people there are, each with an address.
    pub users: u64,
    /// How many harmless events.
    pub background: u64,
    /// How many addresses guess passwords.
    pub attackers: u64,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Events, one JSON object each, in order of time.
    pub lines: Vec<String>,
    /// Addresses that guess passwords: each must be found, no other may be.
    pub attackers: BTreeSet<String>,
}

impl Traffic {
    /// Events: logins that succeed and now and then fail once, and attackers that fail four times in ten seconds.
    pub fn events(&self) -> Made {
        let mut random = Random::new(self.seed);
        let mut timed = Vec::new();
        for number in 0..self.background {
            let user = random.below(self.users);
            let time = self.moment(&mut random);
            // One failure for each user at most: two people behind one address must not look like an attack.
            let line = if number < self.users && random.below(10) == 0 {
                failed_login(time, &user_name(number), &user_address(number))
            } else {
                successful_login(time, &user_name(user), &user_address(user))
            };
            timed.push((time, line));
        }
        let mut attackers = BTreeSet::new();
        for number in 0..self.attackers {
            let (begin, address) = (self.moment(&mut random), attacker_address(number));
            // One address guesses at one account of its own: the pair is the smallest sign there is.
            for failure in 0..4 {
                let time = begin.saturating_add_secs(failure * 3);
                timed.push((time, failed_login(time, &format!("victim{number}"), &address)));
            }
            attackers.insert(address);
        }
        timed.sort();
        Made { lines: timed.into_iter().map(|(_, line)| line).collect(), attackers }
    }

    /// Harmless requests of the same people from the same addresses.
    pub fn requests(&self, count: u64) -> Vec<AccessRequest> {
        let mut random = Random::new(self.seed ^ 1);
        let one = |_| {
            let user = random.below(self.users);
            let dataset = format!("d{}", random.below(5));
            request_from(&user_name(user), "dataset:read", &dataset, &user_address(user))
        };
        (0..count).map(one).collect()
    }

    fn moment(&self, random: &mut Random) -> Timestamp {
        let secs = random.below(self.secs.max(1));
        self.start.saturating_add_secs(i64::try_from(secs).expect("a span"))
    }
}

fn user_name(number: u64) -> String {
    format!("user{number}")
}

fn user_address(number: u64) -> String {
    format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255)
}

fn attacker_address(number: u64) -> String {
    format!("203.0.{}.{}", number >> 8 & 255, number & 255)
}
