//! Marks the bytes of a chunk of JSON at which values end: what may end a string, and what is a digit.
//!
//! ```text
//!  chunk    {"a":"x\n","b":12}⏎
//!  special  .#.#.#.#.#.#.#...#      quotes, backslashes, control characters
//!  digits   ..............##..
//! ```
//!
//! Invariants: a bit for each byte, the lowest of a word first; what lies behind the chunk is left over
//! and means nothing. The vector twins find what the scalar one finds. All that is
//! `unsafe` is to call what is compiled for instructions that the processor has.

/// The longest chunk that has marks.
pub(in crate::format) const LONGEST_CHUNK: usize = 1 << 16;

const WIDTH: usize = 64;

/// A bit for each byte, and a word behind them: windows begin at any byte.
type Bits = [u8; LONGEST_CHUNK / 8 + 8];

/// See the module. Reused from chunk to chunk.
#[derive(Debug)]
pub(in crate::format) struct Marks {
    special: Box<Bits>,
    digits: Box<Bits>,
    is_ascii: bool,
}

/// What 64 bytes hold, a bit for each; the lowest is the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Found {
    special: u64,
    digits: u64,
    /// Bytes beyond ASCII.
    high: u64,
}

impl Marks {
    /// Marks of no chunk yet.
    pub(in crate::format) fn new() -> Self {
        Marks {
            special: Box::new([0; LONGEST_CHUNK / 8 + 8]),
            digits: Box::new([0; LONGEST_CHUNK / 8 + 8]),
            is_ascii: true,
        }
    }

    /// Marks the bytes of `chunk`, of which there are at most [`LONGEST_CHUNK`].
    pub(in crate::format) fn find(&mut self, chunk: &[u8]) {
        self.find_with(best_kernel(), chunk);
    }

    /// True if all of the chunk is ASCII.
    pub(in crate::format) fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// Which bytes from `place` on are quotes, backslashes or control characters; the lowest bit is the
    /// first of them. At least 57 bits count.
    #[inline(always)]
    pub(in crate::format) fn special_from(&self, place: usize) -> u64 {
        window(&self.special, place)
    }

    /// Which bytes from `place` on are digits; as above.
    #[inline(always)]
    pub(in crate::format) fn digits_from(&self, place: usize) -> u64 {
        window(&self.digits, place)
    }

    fn find_with(&mut self, kernel: Kernel, chunk: &[u8]) {
        match kernel {
            Kernel::Scalar => self.mark(chunk, scalar::found),
            #[cfg(target_arch = "x86_64")]
            Kernel::Sse2 => x86::mark_sse2(self, chunk),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => x86::mark_avx2(self, chunk),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => x86::mark_avx512(self, chunk),
        }
    }

    #[inline(always)]
    fn mark(&mut self, chunk: &[u8], found: impl Fn(&[u8; WIDTH]) -> Found) {
        let (wholes, rest) = chunk.as_chunks::<WIDTH>();
        let mut special = self.special.as_chunks_mut::<8>().0.iter_mut();
        let mut digits = self.digits.as_chunks_mut::<8>().0.iter_mut();
        let mut high = 0;
        for ((bytes, special), digits) in wholes.iter().zip(&mut special).zip(&mut digits) {
            let found = found(bytes);
            *special = found.special.to_le_bytes();
            *digits = found.digits.to_le_bytes();
            high |= found.high;
        }
        if !rest.is_empty()
            && let (Some(special), Some(digits)) = (special.next(), digits.next())
        {
            let mut bytes = [b' '; WIDTH];
            bytes[..rest.len()].copy_from_slice(rest);
            let found = found(&bytes);
            *special = found.special.to_le_bytes();
            *digits = found.digits.to_le_bytes();
            high |= found.high;
        }
        self.is_ascii = high == 0;
    }
}

#[inline(always)]
fn window(bits: &Bits, place: usize) -> u64 {
    let byte = place / 8 % (LONGEST_CHUNK / 8);
    let mut word = [0; 8];
    word.copy_from_slice(&bits[byte..byte + 8]);
    u64::from_le_bytes(word) >> (place % 8)
}

/// How bytes are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kernel {
    #[cfg_attr(target_arch = "x86_64", allow(dead_code))]
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Sse2,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

#[cfg(target_arch = "x86_64")]
fn best_kernel() -> Kernel {
    if x86::has_avx512() {
        Kernel::Avx512
    } else if is_x86_feature_detected!("avx2") {
        Kernel::Avx2
    } else {
        Kernel::Sse2
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn best_kernel() -> Kernel {
    Kernel::Scalar
}

/// Eight bytes at a time with ordinary arithmetic.
mod scalar {
    use super::{Found, WIDTH};

    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;

    #[inline(always)]
    pub(in crate::format) fn found(bytes: &[u8; WIDTH]) -> Found {
        let mut found = Found::default();
        for (number, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*eight);
            let (low, ascii) = (word & !HIGH, !word & HIGH);
            // The highest bit of each byte tells; sums of seven bits do not reach the next byte.
            let at_least = |least: u8| low + ONES * u64::from(0x80 - least);
            let differs = |from: u8| (low ^ (ONES * u64::from(from))) + !HIGH;
            let special = !differs(b'"') | !differs(b'\\') | !at_least(0x20);
            let digits = at_least(b'0') & !at_least(b'9' + 1);
            let shift = number * 8;
            found.special |= gathered(special & ascii) << shift;
            found.digits |= gathered(digits & ascii) << shift;
            found.high |= gathered(word & HIGH) << shift;
        }
        found
    }

    /// The highest bits of the bytes, side by side.
    #[inline(always)]
    fn gathered(highest: u64) -> u64 {
        (highest >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Found, Marks, WIDTH};

    pub(in crate::format) fn has_avx512() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
    }

    /// [`Marks::mark`] with 64 bytes at once; the scalar way where the processor cannot.
    pub(in crate::format) fn mark_avx512(marks: &mut Marks, chunk: &[u8]) {
        if !has_avx512() {
            return marks.mark(chunk, super::scalar::found);
        }
        // SAFETY: the processor has what the function is compiled for.
        unsafe { mark_compiled_for_avx512(marks, chunk) }
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    fn mark_compiled_for_avx512(marks: &mut Marks, chunk: &[u8]) {
        marks.mark(chunk, |bytes| found_in_64(bytes));
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn found_in_64(bytes: &[u8; WIDTH]) -> Found {
        let word = |number: usize| words(bytes, number);
        let vector = _mm512_setr_epi64(
            word(0),
            word(1),
            word(2),
            word(3),
            word(4),
            word(5),
            word(6),
            word(7),
        );
        let all = |byte: u8| _mm512_set1_epi8(byte as i8);
        Found {
            special: _mm512_cmpeq_epi8_mask(vector, all(b'"'))
                | _mm512_cmpeq_epi8_mask(vector, all(b'\\'))
                | _mm512_cmplt_epu8_mask(vector, all(0x20)),
            digits: _mm512_cmplt_epu8_mask(_mm512_sub_epi8(vector, all(b'0')), all(10)),
            high: _mm512_movepi8_mask(vector),
        }
    }

    /// The same with 32 bytes at once.
    pub(in crate::format) fn mark_avx2(marks: &mut Marks, chunk: &[u8]) {
        if !is_x86_feature_detected!("avx2") {
            return marks.mark(chunk, super::scalar::found);
        }
        // SAFETY: the processor has what the function is compiled for.
        unsafe { mark_compiled_for_avx2(marks, chunk) }
    }

    #[target_feature(enable = "avx2")]
    fn mark_compiled_for_avx2(marks: &mut Marks, chunk: &[u8]) {
        marks.mark(chunk, |bytes| {
            let (halves, _) = bytes.as_chunks::<32>();
            let mut found = Found::default();
            for (number, half) in halves.iter().enumerate() {
                let (special, digits, high) = found_in_32(half);
                let shift = number * 32;
                found.special |= u64::from(special) << shift;
                found.digits |= u64::from(digits) << shift;
                found.high |= u64::from(high) << shift;
            }
            found
        });
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn found_in_32(bytes: &[u8; 32]) -> (u32, u32, u32) {
        let word = |number: usize| words(bytes, number);
        let vector = _mm256_setr_epi64x(word(0), word(1), word(2), word(3));
        let all = |byte: u8| _mm256_set1_epi8(byte as i8);
        let at_most = |vector, most| _mm256_cmpeq_epi8(_mm256_min_epu8(vector, all(most)), vector);
        let special = _mm256_or_si256(
            _mm256_or_si256(
                _mm256_cmpeq_epi8(vector, all(b'"')),
                _mm256_cmpeq_epi8(vector, all(b'\\')),
            ),
            at_most(vector, 0x1F),
        );
        let digits = at_most(_mm256_sub_epi8(vector, all(b'0')), 9);
        let bits = |vector| _mm256_movemask_epi8(vector) as u32;
        (bits(special), bits(digits), bits(vector))
    }

    /// The same with 16 bytes at once.
    pub(in crate::format) fn mark_sse2(marks: &mut Marks, chunk: &[u8]) {
        // SAFETY: every processor of this architecture has these instructions.
        unsafe { mark_compiled_for_sse2(marks, chunk) }
    }

    #[target_feature(enable = "sse2")]
    fn mark_compiled_for_sse2(marks: &mut Marks, chunk: &[u8]) {
        marks.mark(chunk, |bytes| {
            let mut found = Found::default();
            for (number, sixteen) in bytes.as_chunks::<16>().0.iter().enumerate() {
                let (special, digits, high) = found_in_16(sixteen);
                let shift = number * 16;
                found.special |= u64::from(special) << shift;
                found.digits |= u64::from(digits) << shift;
                found.high |= u64::from(high) << shift;
            }
            found
        });
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn found_in_16(bytes: &[u8; 16]) -> (u32, u32, u32) {
        let vector = _mm_set_epi64x(words(bytes, 1), words(bytes, 0));
        let all = |byte: u8| _mm_set1_epi8(byte as i8);
        let at_most = |vector, most| _mm_cmpeq_epi8(_mm_min_epu8(vector, all(most)), vector);
        let special = _mm_or_si128(
            _mm_or_si128(
                _mm_cmpeq_epi8(vector, all(b'"')),
                _mm_cmpeq_epi8(vector, all(b'\\')),
            ),
            at_most(vector, 0x1F),
        );
        let digits = at_most(_mm_sub_epi8(vector, all(b'0')), 9);
        let bits = |vector| _mm_movemask_epi8(vector) as u32;
        (bits(special), bits(digits), bits(vector))
    }

    /// Eight of the bytes; the compiler loads vectors whole.
    #[inline(always)]
    fn words<const N: usize>(bytes: &[u8; N], number: usize) -> i64 {
        i64::from_le_bytes(bytes.as_chunks::<8>().0[number])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KERNELS: &[Kernel] = &[
        Kernel::Scalar,
        #[cfg(target_arch = "x86_64")]
        Kernel::Sse2,
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2,
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512,
    ];

    fn check(chunk: &[u8]) {
        for kernel in KERNELS {
            let mut marks = Marks::new();
            // What an earlier chunk left over does not matter.
            marks.find_with(*kernel, &[b'"'; 700]);
            marks.find_with(*kernel, chunk);
            assert_eq!(marks.is_ascii, chunk.is_ascii(), "{kernel:?} {chunk:?}");
            for (place, byte) in chunk.iter().enumerate() {
                let special = matches!(byte, b'"' | b'\\' | 0..0x20);
                assert_eq!(
                    marks.special_from(place) & 1 == 1,
                    special,
                    "{kernel:?} {chunk:?}"
                );
                let digit = byte.is_ascii_digit();
                assert_eq!(
                    marks.digits_from(place) & 1 == 1,
                    digit,
                    "{kernel:?} {chunk:?}"
                );
            }
        }
    }

    #[test]
    fn all_bytes_lengths_and_alignments() {
        let all: Vec<u8> = (0..=255).collect();
        check(&all);
        for byte in all {
            check(&[byte; 130]);
        }
        let pattern = b"ab,\"\xc3\xa9\\\n,\n\n\x1f\x20y8\t\x8a\xac\xa2\x00\x01\x7f/0189:";
        let text: Vec<u8> = pattern.iter().copied().cycle().take(400).collect();
        for start in 0..40 {
            for length in 0..200 {
                check(&text[start..start + length]);
            }
        }
        check(&vec![b'"'; LONGEST_CHUNK]);
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_loop_finds(chunk in proptest::collection::vec(any::<u8>(), 0..400)) {
            check(&chunk);
        }
    }
}
