//! A small generator of numbers (SplitMix64): the same ones for the same seed.

/// Where it is.
pub struct Numbers(u64);

impl Numbers {
    /// From this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// One of so many, from 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.any() % limit.max(1) as u64).expect("below a usize")
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}
