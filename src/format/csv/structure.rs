//! Finds where the fields and lines of a chunk of text end, 64 bytes at a time.
//!
//! ```text
//!  text    a,bc,1⏎d,e,2⏎          marks   ,  ⏎
//!  places  0 2 5 7 9 11 13        where each field begins; the next one less one is where it ends
//!  lines   0     3       6        the number in `places` of the first field of each line
//! ```
//!
//! Invariants: places and lines rise; both end with the entry behind the last line. Quotes mean nothing
//! here, only whether there are any is told. The vector twins find what the scalar one finds. Only they are
//! `unsafe`, for three things: to load a vector from a reference to as many bytes, to store one to a
//! reference to as many, and to call what the processor was asked for.

/// Where fields and lines begin; see the module. Reused from chunk to chunk.
#[derive(Debug, Default)]
pub(in crate::format) struct Structure {
    places: Vec<u32>,
    /// How many of the places count; the others are left over.
    place_count: usize,
    lines: Vec<u32>,
    has_quotes: bool,
    is_ascii: bool,
}

/// What 64 bytes hold, a bit for each; the lowest is the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Marks {
    delimiters: u64,
    newlines: u64,
    quotes: u64,
    /// Bytes beyond ASCII.
    high: u64,
}

impl Marks {
    /// Those of the first bytes, fewer than 64.
    fn first(self, count: usize) -> Marks {
        let kept = (1 << count) - 1;
        Marks {
            delimiters: self.delimiters & kept,
            newlines: self.newlines & kept,
            quotes: self.quotes & kept,
            high: self.high & kept,
        }
    }
}

const WIDTH: usize = 64;

/// The longest text that can be searched.
pub(in crate::format) const LONGEST_CHUNK: usize = 1 << 31;

impl Structure {
    /// Searches the lines of `text`. What stands behind the last newline is a line only `at_end`. The text
    /// is at most [`LONGEST_CHUNK`] long, and the delimiter is no newline and no quote.
    pub(in crate::format) fn find(&mut self, text: &[u8], delimiter: u8, at_end: bool) {
        self.find_with(best_kernel(), text, delimiter);
        if at_end && text.last().is_some_and(|last| *last != b'\n') {
            self.lines.push(self.place_count as u32);
            self.places.truncate(self.place_count);
            self.places.push(text.len() as u32 + 1);
        }
        self.place_count = self.lines.last().map_or(0, |last| *last as usize) + 1;
    }

    /// The number of whole lines.
    #[inline]
    pub(in crate::format) fn line_count(&self) -> usize {
        self.lines.len() - 1
    }

    /// The number of the first field of a line, or of what would come behind the last one.
    #[inline]
    pub(in crate::format) fn first_field(&self, line: usize) -> usize {
        self.lines[line] as usize
    }

    /// The first fields of the lines, and behind the last line the number of all fields.
    #[inline]
    pub(in crate::format) fn first_fields(&self) -> &[u32] {
        &self.lines
    }

    /// Where fields begin, and behind the last one where the next would begin. A field ends one byte
    /// before the next one begins.
    #[inline]
    pub(in crate::format) fn places(&self) -> &[u32] {
        &self.places[..self.place_count]
    }

    /// Where a line begins; at most one byte behind the text for the one behind the last.
    #[inline]
    pub(in crate::format) fn line_start(&self, line: usize) -> usize {
        self.places[self.lines[line] as usize] as usize
    }

    /// True if there is a quote in the text.
    pub(in crate::format) fn has_quotes(&self) -> bool {
        self.has_quotes
    }

    /// True if all of the text is ASCII.
    pub(in crate::format) fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    fn find_with(&mut self, kernel: Kernel, text: &[u8], delimiter: u8) {
        if self.places.is_empty() {
            self.places.push(0);
        }
        self.lines.clear();
        self.lines.push(0);
        match kernel {
            Kernel::Scalar => self.collect(text, |bytes| scalar::marks(bytes, delimiter), put_each),
            #[cfg(target_arch = "x86_64")]
            Kernel::Sse2 => self.collect(text, |bytes| x86::marks_sse2(bytes, delimiter), put_each),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => x86::collect_avx2(self, text, delimiter),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => x86::collect_avx512(self, text, delimiter),
        }
    }

    /// Collects the places of all marks of `text`; `put` writes those of 64 bytes.
    #[inline(always)]
    fn collect(
        &mut self,
        text: &[u8],
        marks: impl Fn(&[u8; WIDTH]) -> Marks,
        put: impl Fn(&mut [u32; WIDTH], u32, u64),
    ) {
        let mut found = 1;
        let (mut quotes, mut high) = (0, 0);
        let (wholes, rest) = text.as_chunks::<WIDTH>();
        for (number, bytes) in wholes.iter().enumerate() {
            let marks = marks(bytes);
            quotes |= marks.quotes;
            high |= marks.high;
            found = self.note(found, (number * WIDTH) as u32, marks, &put);
        }
        if !rest.is_empty() {
            let mut bytes = [0; WIDTH];
            bytes[..rest.len()].copy_from_slice(rest);
            let marks = marks(&bytes).first(rest.len());
            quotes |= marks.quotes;
            high |= marks.high;
            found = self.note(found, (wholes.len() * WIDTH) as u32, marks, &put);
        }
        self.place_count = found;
        self.has_quotes = quotes != 0;
        self.is_ascii = high == 0;
    }

    /// Notes the marks of the 64 bytes at `base` behind the `found` places.
    #[inline(always)]
    fn note(
        &mut self,
        found: usize,
        base: u32,
        marks: Marks,
        put: &impl Fn(&mut [u32; WIDTH], u32, u64),
    ) -> usize {
        if self.places.len() < found + WIDTH {
            self.places.resize((found + WIDTH) * 2, 0);
        }
        let ends = marks.delimiters | marks.newlines;
        let mut newlines = marks.newlines;
        while newlines != 0 {
            let lowest = newlines & newlines.wrapping_neg();
            let before = (ends & (lowest - 1)).count_ones();
            self.lines.push(found as u32 + before);
            newlines ^= lowest;
        }
        if let Some(places) = self.places[found..].first_chunk_mut() {
            put(places, base, ends);
        }
        found + ends.count_ones() as usize
    }
}

/// Writes the places behind the bits of `ends`, and something behind them.
#[inline(always)]
fn put_each(places: &mut [u32; WIDTH], base: u32, mut ends: u64) {
    const STEP: usize = 8;
    // Several at once, and more than there are, cost less than asking after each.
    for step in places.as_chunks_mut::<STEP>().0 {
        for place in step {
            *place = base + ends.trailing_zeros() + 1;
            ends &= ends.wrapping_sub(1);
        }
        if ends == 0 {
            break;
        }
    }
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
    } else if x86::has_avx2() {
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
    use super::{Marks, WIDTH};

    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;

    #[inline(always)]
    pub(in crate::format) fn marks(bytes: &[u8; WIDTH], delimiter: u8) -> Marks {
        let mut marks = Marks::default();
        for (number, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*eight);
            let shift = number * 8;
            marks.delimiters |= gathered(equal(word, delimiter)) << shift;
            marks.newlines |= gathered(equal(word, b'\n')) << shift;
            marks.quotes |= gathered(equal(word, b'"')) << shift;
            marks.high |= gathered(word & HIGH) << shift;
        }
        marks
    }

    /// The highest bit of every byte that equals `wanted`, exactly.
    #[inline(always)]
    fn equal(word: u64, wanted: u8) -> u64 {
        let difference = word ^ (LOW * u64::from(wanted));
        !(((difference & !HIGH) + !HIGH) | difference) & HIGH
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

    use super::{Marks, Structure, WIDTH, put_each, scalar};

    pub(in crate::format) fn has_avx2() -> bool {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt")
    }

    /// [`Structure::collect`] with 32 bytes at once; the scalar way where the processor cannot.
    pub(in crate::format) fn collect_avx2(structure: &mut Structure, text: &[u8], delimiter: u8) {
        if !has_avx2() {
            return structure.collect(text, |bytes| scalar::marks(bytes, delimiter), put_each);
        }
        // SAFETY: the processor has what the function is compiled for.
        unsafe { collect_compiled_for_avx2(structure, text, delimiter) }
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn collect_compiled_for_avx2(structure: &mut Structure, text: &[u8], delimiter: u8) {
        structure.collect(text, |bytes| marks_avx2(bytes, delimiter), put_each);
    }

    #[inline]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn marks_avx2(bytes: &[u8; WIDTH], delimiter: u8) -> Marks {
        let from = bytes.as_ptr().cast::<__m256i>();
        // SAFETY: 64 bytes are two vectors of 32, and these loads need no alignment.
        let (low, high) = unsafe { (_mm256_loadu_si256(from), _mm256_loadu_si256(from.add(1))) };
        let bits = |low, high| {
            let (low, high) = (_mm256_movemask_epi8(low), _mm256_movemask_epi8(high));
            u64::from(low as u32) | u64::from(high as u32) << 32
        };
        let equal = |wanted: u8| {
            let wanted = _mm256_set1_epi8(wanted as i8);
            bits(
                _mm256_cmpeq_epi8(low, wanted),
                _mm256_cmpeq_epi8(high, wanted),
            )
        };
        Marks {
            delimiters: equal(delimiter),
            newlines: equal(b'\n'),
            quotes: equal(b'"'),
            high: bits(low, high),
        }
    }

    pub(in crate::format) fn has_avx512() -> bool {
        has_avx2()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi2")
    }

    /// [`Structure::collect`] with 64 bytes at once; the scalar way where the processor cannot.
    pub(in crate::format) fn collect_avx512(structure: &mut Structure, text: &[u8], delimiter: u8) {
        if !has_avx512() {
            return structure.collect(text, |bytes| scalar::marks(bytes, delimiter), put_each);
        }
        // SAFETY: the processor has what the function is compiled for.
        unsafe { collect_compiled_for_avx512(structure, text, delimiter) }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,bmi1,popcnt")]
    fn collect_compiled_for_avx512(structure: &mut Structure, text: &[u8], delimiter: u8) {
        structure.collect(
            text,
            |bytes| marks_avx512(bytes, delimiter),
            |places, base, ends| put_avx512(places, base, ends),
        );
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,bmi1,popcnt")]
    fn marks_avx512(bytes: &[u8; WIDTH], delimiter: u8) -> Marks {
        // SAFETY: 64 bytes are a vector, and this load needs no alignment.
        let vector = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast::<__m512i>()) };
        let equal = |wanted: u8| _mm512_cmpeq_epi8_mask(vector, _mm512_set1_epi8(wanted as i8));
        Marks {
            delimiters: equal(delimiter),
            newlines: equal(b'\n'),
            quotes: equal(b'"'),
            high: _mm512_movepi8_mask(vector),
        }
    }

    /// [`put_each`], 16 places at once.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,bmi1,popcnt")]
    fn put_avx512(places: &mut [u32; WIDTH], base: u32, ends: u64) {
        const BEHIND: [u8; WIDTH] = {
            let mut behind = [0; WIDTH];
            let mut place = 0;
            while place < WIDTH {
                behind[place] = place as u8 + 1;
                place += 1;
            }
            behind
        };
        // SAFETY: 64 bytes are a vector, and this load needs no alignment.
        let behind = unsafe { _mm512_loadu_si512(BEHIND.as_ptr().cast::<__m512i>()) };
        let mut found = _mm512_maskz_compress_epi8(ends, behind);
        let base = _mm512_set1_epi32(base as i32);
        let mut missing = ends.count_ones();
        for sixteen in places.as_chunks_mut::<16>().0 {
            let wide = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(found));
            let wide = _mm512_add_epi32(wide, base);
            // SAFETY: 16 numbers are a vector, and this store needs no alignment.
            unsafe { _mm512_storeu_si512(sixteen.as_mut_ptr().cast::<__m512i>(), wide) };
            if missing <= 16 {
                break;
            }
            missing -= 16;
            found = _mm512_alignr_epi32::<4>(found, found);
        }
    }

    /// Every processor of this kind has these instructions.
    #[inline(always)]
    pub(in crate::format) fn marks_sse2(bytes: &[u8; WIDTH], delimiter: u8) -> Marks {
        let mut marks = Marks::default();
        for (number, sixteen) in bytes.as_chunks::<16>().0.iter().enumerate() {
            // SAFETY: 16 bytes are a vector, and this load needs no alignment.
            let vector = unsafe { _mm_loadu_si128(sixteen.as_ptr().cast::<__m128i>()) };
            let shift = number * 16;
            // SAFETY: these instructions belong to the architecture.
            let bits = |vector| unsafe { u64::from(_mm_movemask_epi8(vector) as u32) << shift };
            // SAFETY: as above.
            let equal =
                |wanted: u8| unsafe { bits(_mm_cmpeq_epi8(vector, _mm_set1_epi8(wanted as i8))) };
            marks.delimiters |= equal(delimiter);
            marks.newlines |= equal(b'\n');
            marks.quotes |= equal(b'"');
            marks.high |= bits(vector);
        }
        marks
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

    fn check(text: &[u8], delimiter: u8) {
        let (mut places, mut lines) = (vec![0], vec![0]);
        for (place, byte) in text.iter().enumerate() {
            if *byte == b'\n' {
                lines.push(places.len() as u32);
            }
            if *byte == b'\n' || *byte == delimiter {
                places.push(place as u32 + 1);
            }
        }
        for kernel in KERNELS {
            let mut found = Structure::default();
            // What an earlier text left over does not matter.
            found.find_with(*kernel, b"a,b\n\"\xe9,,,,\n", b',');
            found.find_with(*kernel, text, delimiter);
            assert_eq!(found.places(), places, "{kernel:?} {text:?}");
            assert_eq!(found.lines, lines, "{kernel:?} {text:?}");
            assert_eq!(
                found.has_quotes,
                text.contains(&b'"'),
                "{kernel:?} {text:?}"
            );
            assert_eq!(found.is_ascii, text.is_ascii(), "{kernel:?} {text:?}");
        }
    }

    #[test]
    fn all_lengths_and_alignments() {
        let pattern = b"ab,\"\xc3\xa9\n,\n\n,,x;yz\t\x8a\xac\xa2,\0\x01,-.+*\x0b\x09";
        let text: Vec<u8> = pattern.iter().copied().cycle().take(400).collect();
        for start in 0..70 {
            for length in 0..200 {
                check(&text[start..start + length], b',');
            }
        }
        check(&[b','; 300], b',');
        check(&[b'\n'; 300], b',');
        check(&[b'x'; 300], b',');
        for byte in 0..=255 {
            check(&[byte; 130], b',');
            check(&[byte; 130], b'\t');
        }
    }

    #[test]
    fn the_last_line() {
        let mut structure = Structure::default();
        structure.find(b"a,b\nc,d", b',', false);
        assert_eq!(
            (structure.places(), structure.line_count()),
            (&[0, 2, 4][..], 1)
        );
        structure.find(b"a,b\nc,d", b',', true);
        assert_eq!(structure.places(), [0, 2, 4, 6, 8]);
        assert_eq!(structure.first_fields(), [0, 2, 4]);
        structure.find(b"a,b\n", b',', true);
        assert_eq!(structure.places(), [0, 2, 4]);
        structure.find(b"abc", b',', false);
        assert_eq!((structure.line_count(), structure.line_start(0)), (0, 0));
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_loop_finds(
            text in proptest::collection::vec(
                prop_oneof![any::<u8>(), Just(b','), Just(b'\n'), Just(b'"'), Just(b'a')], 0..500),
            delimiter in prop_oneof![Just(b','), Just(b'\t'), Just(b';'), Just(0u8)],
        ) {
            check(&text, delimiter);
        }
    }
}
