//! What campaigns ask of an interpreter, in numbers that no other load of the machine moves: processes started, copies of
//! them, and round trips, per 10,000 scenarios. What was found is reduced too, so the numbers are those of a seed.

use super::program::{Place, newest_path};

/// The most of each that a command may need.
struct Most {
    command: &'static str,
    starts: u64,
    copies: u64,
    round_trips: u64,
}

/// A fifth more than was counted with 3.13.0 (31, 111 and 6,463; 3, 15 and 54), as findings differ between interpreters.
const MOST: [Most; 2] = [
    Most { command: "test", starts: 38, copies: 135, round_trips: 7_800 },
    Most { command: "diff", starts: 4, copies: 18, round_trips: 65 },
];

#[test]
fn campaigns_start_few_processes_and_ask_them_seldom() {
    let Some(python) = newest_path() else { return };
    for most in MOST {
        let place = Place::new();
        let line = format!("{} --python {python} --scenarios 10000 --seed 1 --jobs 1 --json r.json", most.command);
        let ran = place.coroner(&line);
        assert!([0, 1, 4].contains(&ran.code), "{}{}", ran.out, ran.err);
        let asked = place.timing("r.json")["interpreters"].clone();
        println!("{}: {asked}", most.command);
        for (what, most) in [("starts", most.starts), ("copies", most.copies), ("round_trips", most.round_trips)] {
            let count = asked[what].as_u64().unwrap();
            assert!(count > 0 && count <= most, "{line}: {asked}, at most {most} {what}");
        }
    }
}
