//! Which frames of two runs belong together.

/// The frames of two runs, in order: both, or one alone. A longest sequence that both have.
pub fn align(left: &[String], right: &[String]) -> Vec<(Option<usize>, Option<usize>)> {
    let (rows, columns) = (left.len() + 1, right.len() + 1);
    // The length of the longest common sequence of what follows.
    let mut common = vec![0_u32; rows * columns];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            common[i * columns + j] = if left[i] == right[j] {
                common[(i + 1) * columns + j + 1] + 1
            } else {
                common[(i + 1) * columns + j].max(common[i * columns + j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && left[i] == right[j] {
            pairs.push((Some(i), Some(j)));
            (i, j) = (i + 1, j + 1);
        } else if j == right.len() || i < left.len() && common[(i + 1) * columns + j] >= common[i * columns + j + 1] {
            pairs.push((Some(i), None));
            i += 1;
        } else {
            pairs.push((None, Some(j)));
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_have_is_side_by_side() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let pairs = align(&words("a b c e"), &words("a c d e"));
        assert_eq!(
            pairs,
            [(Some(0), Some(0)), (Some(1), None), (Some(2), Some(1)), (None, Some(2)), (Some(3), Some(3))]
        );
        assert_eq!(align(&[], &words("x")), [(None, Some(0))]);
    }
}
