use super::super::sample::random_scenarios;
use super::super::{Opcode, text};
use super::*;

#[test]
fn a_normal_form_survives_both_readers() {
    for (seed, scenario) in random_scenarios(3000) {
        let scenario = scenario.normalize();
        let bytes = encode_to_vec(&scenario);
        assert_eq!(decode(&bytes).as_ref(), Ok(&scenario), "seed {seed}");
        assert_eq!(decode_total(&bytes), scenario, "seed {seed}\n{}", text::print(&scenario));
    }
}

#[test]
fn every_truncation_is_refused_and_still_means_something() {
    for (seed, scenario) in random_scenarios(60) {
        let bytes = encode_to_vec(&scenario.normalize());
        for end in 0..bytes.len() {
            let cut = &bytes[..end];
            let error = decode(cut).unwrap_err();
            let truncated = matches!(error, BinaryError::Truncated { offset } if offset == end);
            let unresolved = matches!(error, BinaryError::NoScenario) && end == 0;
            assert!(truncated || unresolved, "seed {seed}, {end} bytes: {error}");
            decode_total(cut).normalize();
        }
    }
}

#[test]
fn every_changed_byte_is_refused_or_read() {
    for (_, scenario) in random_scenarios(20) {
        let bytes = encode_to_vec(&scenario.normalize());
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = value;
                if let Ok(read) = decode(&bytes) {
                    assert_eq!(decode(&encode_to_vec(&read)), Ok(read));
                }
                decode_total(&bytes).normalize();
            }
        }
    }
}

#[test]
fn errors_name_the_place() {
    let error = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
    assert_eq!(error(b"coroner 1\n"), "this is no binary scenario: it does not start with c0 72 6e 72");
    assert_eq!(error(&[0xc0, b'r', b'n', b'r', 7, 1]), "version 7 of the binary form is unknown; known: 1");
    assert_eq!(error(&[0xc0, b'r', b'n', b'r', 1]), "the file ends at byte 5, inside the scenario");
    assert_eq!(error(&[0xc0, b'r', b'n', b'r', 1, 99]), "byte 5: 99 is no tag");
    assert_eq!(error(&[0xc0, b'r', b'n', b'r', 1, 7, 3, 1]), "byte 6: 3 is no generation");
    assert_eq!(error(&[0xc0, b'r', b'n', b'r', 1, 1, 0]), "byte 6: the scenario has ended, but bytes follow");
}

#[test]
fn more_operations_or_scripts_than_allowed_are_refused() {
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    let header = bytes.len();
    bytes.resize(header + crate::scenario::MAX_OPS, Opcode::Look as u8);
    bytes.push(tag::END);
    assert_eq!(decode(&bytes).map(|s| s.ops().len()), Ok(crate::scenario::MAX_OPS));
    bytes.insert(header, Opcode::Look as u8);
    assert!(matches!(decode(&bytes), Err(BinaryError::Limit { what: "operations", .. })));
    assert_eq!(decode_total(&bytes).ops().len(), crate::scenario::MAX_OPS);
    bytes.truncate(header);
    bytes.resize(header + 65, tag::NEXT);
    bytes.push(tag::END);
    assert!(matches!(decode(&bytes), Err(BinaryError::Limit { what: "scripts", .. })));
    assert_eq!(decode_total(&bytes).scripts(), crate::scenario::MAX_SCRIPTS);
}

#[test]
fn random_bytes_mean_operations_that_may_have_an_effect() {
    let (mut before, mut after) = (0, 0);
    for (_, scenario) in random_scenarios(1000) {
        before += scenario.ops().len();
        after += scenario.normalize().ops().len();
    }
    assert!(after * 10 > before * 5, "{after} of {before}");
}
