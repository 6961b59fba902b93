//! What a function of ours leaves to the one of DataFusion that it holds as `theirs`: names, arguments, types.
//!
//! ```text
//!   impl ScalarUDFImpl for Bounded {
//!       as_theirs!();                    name, aliases, signature, types, documentation
//!       fn invoke_with_args(…) { … }     what ours does otherwise
//!   }
//! ```

/// The methods of a `ScalarUDFImpl` that answer as `self.theirs` does.
macro_rules! as_theirs {
    () => {
        fn name(&self) -> &str {
            self.theirs.name()
        }

        fn aliases(&self) -> &[String] {
            self.theirs.aliases()
        }

        fn signature(&self) -> &datafusion_expr::Signature {
            self.theirs.signature()
        }

        fn return_type(
            &self,
            types: &[arrow::datatypes::DataType],
        ) -> datafusion_common::Result<arrow::datatypes::DataType> {
            self.theirs.return_type(types)
        }

        fn return_field_from_args(
            &self,
            args: datafusion_expr::ReturnFieldArgs,
        ) -> datafusion_common::Result<arrow::datatypes::FieldRef> {
            self.theirs.return_field_from_args(args)
        }

        fn documentation(&self) -> Option<&datafusion_expr::Documentation> {
            self.theirs.documentation()
        }
    };
}
pub(super) use as_theirs;
