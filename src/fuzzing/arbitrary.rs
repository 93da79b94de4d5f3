//! The adaptor for `arbitrary`: bytes go through the project's own reader, which gives every byte string a meaning.

use crate::scenario::Scenario;
use crate::scenario::binary::decode_total;

impl<'a> arbitrary::Arbitrary<'a> for Scenario {
    /// Takes a length, and a scenario from as many bytes; the rest is left to the fields that follow.
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Scenario> {
        let length = u.arbitrary_len::<u8>()?;
        Ok(decode_total(u.bytes(length)?))
    }

    /// Takes all the bytes there are.
    fn arbitrary_take_rest(u: arbitrary::Unstructured<'a>) -> arbitrary::Result<Scenario> {
        Ok(decode_total(u.take_rest()))
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;
    use crate::scenario::binary::{decode_total, encode_to_vec};
    use arbitrary::{Arbitrary, Unstructured};

    #[test]
    fn an_input_of_its_own_is_the_binary_form() {
        let scenario = decode_total(&[2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]);
        let bytes = encode_to_vec(&scenario);
        let read = Scenario::arbitrary_take_rest(Unstructured::new(&bytes)).unwrap();
        assert_eq!(read, scenario);
        assert!(!read.ops().is_empty());
    }

    #[test]
    fn it_can_be_a_field_of_another_type() {
        let bytes: Vec<u8> = (0..200).map(|n: u32| (n * 37 % 251) as u8).collect();
        let mut u = Unstructured::new(&bytes);
        let (a, b) = <(Scenario, Scenario)>::arbitrary(&mut u).unwrap();
        assert!(a.ops().len() + b.ops().len() > 0);
    }
}
