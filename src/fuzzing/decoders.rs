//! What the targets `text` and `binary` check.

use crate::scenario::{binary, text};

/// Bytes as a text file: read or refused without panic, and what was read survives printing, with everything that
/// the file says besides the scenario. The binary form of it survives too.
///
/// # Panics
/// If a promise is broken.
pub fn text(data: &[u8]) {
    match text::parse_bytes(data) {
        Ok(document) => {
            let printed = document.print();
            let again = text::parse(&printed);
            let same = again.as_ref().is_ok_and(|again| {
                again.scenario == document.scenario
                    && again.names == document.names
                    && again.fields == document.fields
                    && again.expectations == document.expectations
            });
            assert!(same, "printing changed the document:\n{printed}\n{again:?}\n{document:?}");
            assert_eq!(again.map(|again| again.print()).as_ref(), Ok(&printed), "printing twice differs");
            let bytes = binary::encode_to_vec(&document.scenario);
            assert_eq!(binary::decode(&bytes), Ok(document.scenario));
        }
        Err(errors) => {
            assert!(!errors.is_empty() && errors.len() <= text::MAX_DIAGNOSTICS);
            let source = String::from_utf8_lossy(data);
            for error in errors {
                let rendered = error.render("input.scn", &source, false);
                assert!(rendered.contains("error["), "{rendered}");
            }
        }
    }
}

/// Bytes as a binary file, read strictly and totally: normalization is idempotent, and both forms of what was read
/// survive.
///
/// # Panics
/// If a promise is broken.
pub fn binary(data: &[u8]) {
    if let Ok(scenario) = binary::decode(data) {
        assert_eq!(binary::decode(&binary::encode_to_vec(&scenario)), Ok(scenario));
    }
    let normal = binary::decode_total(data).normalize();
    assert_eq!(normal.normalize(), normal, "normalizing twice differs");
    let bytes = binary::encode_to_vec(&normal);
    assert_eq!(binary::decode(&bytes).as_ref(), Ok(&normal), "the strict reader differs");
    assert_eq!(binary::decode_total(&bytes), normal, "the total reader differs");
    let printed = text::print(&normal);
    assert_eq!(text::parse(&printed).map(|document| document.scenario), Ok(normal), "{printed}");
}
