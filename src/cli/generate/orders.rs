//! `orders`: what customers of a shop buy.

use super::Generate;
use super::random::Random;
use super::row::Row;

pub(super) const COLUMNS: &[&str] = &["ts", "order_id", "customer", "item", "quantity", "price"];

/// Items and their prices in thousandths.
const ITEMS: &[(&[u8], i64)] = &[
    (b"apple", 450),
    (b"bread", 3_200),
    (b"cheese", 7_950),
    (b"coffee", 8_490),
    (b"milk", 1_290),
    (b"rice", 2_790),
    (b"tea", 4_990),
    (b"wine", 11_900),
];

const CUSTOMERS: u64 = 500;

/// Counts the orders.
#[derive(Default)]
pub(super) struct Orders {
    orders: u64,
}

impl Generate for Orders {
    fn row(&mut self, random: &mut Random, row: &mut Row) {
        self.orders += 1;
        row.integer(self.orders);
        row.numbered(b"c", 1 + random.skewed_below(CUSTOMERS));
        let (item, price) = ITEMS[random.skewed_below(ITEMS.len() as u64) as usize];
        row.text(item);
        row.integer(1 + random.skewed_below(9));
        row.decimal(price, 2);
    }
}
