//! Functions by name, shelf by shelf: a shelf is filled when a name is asked for that those before it lack.
//!
//! ```text
//!   count, sum ─► shelf 1: ours and what nearly every query calls     filled
//!   corr       ─► shelf 2: the rest of DataFusion's                   empty until somebody asks
//! ```
//!
//! Filling all of them touches a hundred places of the program: a third of the time that a short query takes
//! from start to end, and megabytes of memory.
//!
//! Invariant: a name means the same function whichever shelves are filled.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use datafusion_expr::{AggregateUDF, ScalarUDF};

/// A function with its names.
pub trait Named {
    /// Its name.
    fn name(&self) -> &str;
    /// Its other names.
    fn aliases(&self) -> &[String];
}

impl Named for ScalarUDF {
    fn name(&self) -> &str {
        ScalarUDF::name(self)
    }

    fn aliases(&self) -> &[String] {
        ScalarUDF::aliases(self)
    }
}

impl Named for AggregateUDF {
    fn name(&self) -> &str {
        AggregateUDF::name(self)
    }

    fn aliases(&self) -> &[String] {
        AggregateUDF::aliases(self)
    }
}

/// Lists the functions of a shelf.
type Fill<F> = fn() -> Vec<Arc<F>>;

/// Functions by name; see the module.
#[derive(Debug)]
pub struct Library<F> {
    shelves: Vec<Shelf<F>>,
}

#[derive(Debug)]
struct Shelf<F> {
    fill: Fill<F>,
    functions: OnceLock<HashMap<String, Arc<F>>>,
}

impl<F: Named> Library<F> {
    /// The shelves in the order in which they are looked through.
    pub(super) fn new(shelves: &[Fill<F>]) -> Self {
        let shelf = |fill: &Fill<F>| Shelf {
            fill: *fill,
            functions: OnceLock::new(),
        };
        Library {
            shelves: shelves.iter().map(shelf).collect(),
        }
    }

    /// The function of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<F>> {
        let mut shelves = self.shelves.iter();
        shelves.find_map(|shelf| shelf.functions().get(name))
    }

    /// True if the first shelf has that name.
    pub fn is_at_hand(&self, name: &str) -> bool {
        let first = self.shelves.first();
        first.is_some_and(|shelf| shelf.functions().contains_key(name))
    }

    /// All functions, in no order.
    pub fn functions(&self) -> impl Iterator<Item = &Arc<F>> {
        let entries = (self.shelves.iter()).flat_map(|shelf| shelf.functions());
        entries.filter_map(|(name, function)| (name == function.name()).then_some(function))
    }

    /// All names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        let shelves = self.shelves.iter();
        shelves.flat_map(|shelf| shelf.functions().keys())
    }
}

impl<F: Named> Shelf<F> {
    fn functions(&self) -> &HashMap<String, Arc<F>> {
        self.functions.get_or_init(|| {
            let mut functions = HashMap::new();
            for function in (self.fill)() {
                for alias in function.aliases() {
                    functions.insert(alias.clone(), Arc::clone(&function));
                }
                functions.insert(function.name().to_owned(), function);
            }
            functions
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::functions;

    #[test]
    fn a_name_means_one_function() {
        let (scalars, aggregates) = (functions::scalars(), functions::aggregates());
        let mut names: Vec<&String> = scalars.names().chain(aggregates.names()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None);
        assert!(names.len() > 200, "{}", names.len());
    }

    #[test]
    fn later_shelves_are_filled_when_asked() {
        let aggregates = functions::aggregates();
        let filled = |n: usize| aggregates.shelves[n].functions.get().is_some();
        assert!(aggregates.get("count").is_some() && !filled(1));
        assert!(aggregates.get("corr").is_some() && filled(1));
        assert!(aggregates.get("no_such_function").is_none());
    }
}
