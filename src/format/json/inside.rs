//! Reads values inside of nested ones: `items[1].price` of the text of `items`.

use super::cells::JsonCells;
use super::scanner::{JsonError, Scanner};
use super::value::{JsonValue, unescape};
use crate::format::PathStep;
use crate::format::columns::cells::{Cell, CellKind, Texts};

/// The values that `steps` lead to inside the values of `cells`; NULL where they lead nowhere.
pub(in crate::format) fn values_inside(
    texts: Texts<'_>,
    cells: &[Cell],
    steps: &[PathStep],
) -> JsonCells {
    let mut found = JsonCells::new(1);
    for cell in cells {
        let value = match cell.kind {
            // A field of csv may hold JSON.
            CellKind::Nested | CellKind::Field | CellKind::QuotedField => {
                value_inside(texts.get(*cell), steps).ok().flatten()
            }
            _ => None,
        };
        found.put_copy(0, value.unwrap_or(JsonValue::Null));
        found.end_row();
    }
    found
}

fn value_inside<'t>(
    text: &'t [u8],
    steps: &[PathStep],
) -> Result<Option<JsonValue<'t>>, JsonError> {
    let mut value = JsonValue::Nested(text);
    for step in steps {
        let JsonValue::Nested(text) = value else {
            return Ok(None);
        };
        let mut scanner = Scanner::new(text);
        let mut found = None;
        match step {
            PathStep::Key(name) if scanner.at_object() => {
                let mut scratch = Vec::new();
                scanner.object(|scanner, key| {
                    scratch.clear();
                    unescape(key.inside, &mut scratch);
                    let value = scanner.value()?;
                    if scratch == name.as_bytes() {
                        found = Some(value);
                    }
                    Ok(())
                })?;
            }
            PathStep::Element(number) if scanner.at_array() => {
                let mut passed = 0;
                scanner.array(|scanner| {
                    let value = scanner.value()?;
                    passed += 1;
                    if passed == *number {
                        found = Some(value);
                    }
                    Ok(())
                })?;
            }
            _ => {}
        }
        match found {
            Some(inner) => value = inner,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}
