//! `subscript(value, index)`: `value[index]` of an ARRAY (from 1), a MAP or a ROW by key.
//!
//! What is not there is NULL. Queries write `value[index]`, and paths into the columns of a table never come
//! here: their decoder reads them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::complaint::complain;
use super::type_name;
use crate::data::inside;
use crate::error::closest;

#[derive(Debug, PartialEq, Eq, Hash)]
struct SubscriptFunction {
    signature: Signature,
}

/// The function.
pub fn function() -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::from(SubscriptFunction { signature }))
}

impl ScalarUDFImpl for SubscriptFunction {
    fn name(&self) -> &str {
        "subscript"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [value, index] = types else {
            return complain!("subscript takes a value and an index");
        };
        let index = match (value, index) {
            (DataType::List(_), index) if index.is_numeric() || index.is_null() => DataType::Int64,
            (DataType::List(_), _) => {
                return complain!("the elements of an ARRAY are counted: a[1], not a['b']");
            }
            // A key stays as it is: the type of a field depends on it.
            (DataType::Map(..) | DataType::Struct(_), index)
                if index.is_string() || index.is_null() =>
            {
                index.clone()
            }
            (DataType::Map(..) | DataType::Struct(_), _) => {
                return complain!("the values of a ROW or MAP have names: a['b'] or a.b, not a[1]");
            }
            (DataType::Null, index) => index.clone(),
            (other, _) => {
                let other = type_name(other);
                return complain!(
                    "nothing lies inside of {other}: a.b, a['b'] and a[1] read ROW, MAP and ARRAY"
                );
            }
        };
        Ok(vec![value.clone(), index])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        complain!("the type of a subscript depends on its index")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let value = args.arg_fields[0].data_type();
        let key = args.scalar_arguments.get(1).copied().flatten();
        let data_type = match value {
            DataType::List(item) => item.data_type().clone(),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(pair) if pair.len() == 2 => pair[1].data_type().clone(),
                _ => return complain!("this MAP has no values"),
            },
            DataType::Struct(fields) => match key.and_then(text_of) {
                Some(key) => match place_of(fields, &key) {
                    Some(place) => fields[place].data_type().clone(),
                    None => {
                        let names: Vec<&str> =
                            fields.iter().map(|field| field.name().as_str()).collect();
                        let meant = closest(&key, &names)
                            .map_or(String::new(), |name| format!(" (did you mean `{name}`?)"));
                        let names = names.join(", ");
                        return complain!("the ROW has no `{key}`{meant}: it has {names}");
                    }
                },
                None => return complain!("the key of a ROW is a constant text: a['b']"),
            },
            _ => DataType::Null,
        };
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let (value, index) = (&columns[0], &columns[1]);
        let found: ArrayRef = match value.data_type() {
            DataType::Struct(fields) => {
                let key = match &args.args[1] {
                    ColumnarValue::Scalar(key) => text_of(key),
                    ColumnarValue::Array(_) => None,
                };
                match key.and_then(|key| place_of(fields, &key)) {
                    Some(place) => inside::field_inside(value.as_struct(), place)?,
                    None => new_null_array(args.return_field.data_type(), value.len()),
                }
            }
            DataType::List(_) => {
                let index = index.as_primitive::<Int64Type>();
                let number = |row| index.is_valid(row).then(|| index.value(row));
                inside::element_inside(value.as_list(), number)?
            }
            DataType::Map(..) => {
                let index = cast(index, &DataType::Utf8View)?;
                let index = index.as_string_view();
                let key = |row| index.is_valid(row).then(|| index.value(row));
                inside::value_inside(value.as_map(), key)?
            }
            _ => new_null_array(args.return_field.data_type(), value.len()),
        };
        Ok(ColumnarValue::Array(found))
    }

    fn is_strict(&self) -> bool {
        true
    }
}

/// The field of that exact name, else the only one of that name ignoring case.
fn place_of(fields: &Fields, name: &str) -> Option<usize> {
    if let Some((place, _)) = fields.find(name) {
        return Some(place);
    }
    let alike = |place: &usize| fields[*place].name().eq_ignore_ascii_case(name);
    let mut found = (0..fields.len()).filter(alike);
    match (found.next(), found.next()) {
        (Some(place), None) => Some(place),
        _ => None,
    }
}

fn text_of(key: &ScalarValue) -> Option<String> {
    match key {
        ScalarValue::Utf8(Some(key))
        | ScalarValue::Utf8View(Some(key))
        | ScalarValue::LargeUtf8(Some(key)) => Some(key.clone()),
        _ => None,
    }
}
