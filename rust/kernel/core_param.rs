// SPDX-License-Identifier: GPL-2.0

//! Command line options of code that is always built in.
//!
//! C header: [`include/linux/moduleparam.h`](srctree/include/linux/moduleparam.h)

use crate::{
    error::from_result,
    prelude::*, //
};

/// Hands the value of an option to its parser.
///
/// Public but hidden since it should only be used from [`core_param!`](crate::core_param).
///
/// # Safety
///
/// `value` must be null, or a C string that is valid for the call.
#[doc(hidden)]
pub unsafe fn parse(value: *const c_char, parser: fn(Option<&CStr>) -> Result) -> c_int {
    let value = if value.is_null() {
        None
    } else {
        // SAFETY: `value` is a valid C string by the safety requirements of this function.
        Some(unsafe { CStr::from_char_ptr(value) })
    };

    from_result(|| parser(value).map(|()| 0))
}

/// Has a function called with the value of a command line option.
///
/// Like C's `core_param()`: the option's name is taken as it is, without the name of a module in
/// front. It does not appear in sysfs.
///
/// The parser gets what follows the `=`, or [`None`] when the option stands alone. It is called
/// during boot, before initcalls, once for each time that the option is given. When it returns an
/// error, the kernel says that the option is malformed.
///
/// # Examples
///
/// ```ignore
/// fn parse(value: Option<&CStr>) -> Result {
///     match value.map(CStr::to_bytes) {
///         Some(b"on") => Ok(()),
///         _ => Err(EINVAL),
///     }
/// }
///
/// kernel::core_param!(c"subsystem.feature", parse);
/// ```
#[macro_export]
macro_rules! core_param {
    ($name:literal, $parser:path) => {
        const _: () = {
            unsafe extern "C" fn set(
                value: *const $crate::ffi::c_char,
                _param: *const $crate::bindings::kernel_param,
            ) -> $crate::ffi::c_int {
                // SAFETY: The C side passes null or the option's value, which is a C string.
                unsafe { $crate::core_param::parse(value, $parser) }
            }

            static OPS: $crate::bindings::kernel_param_ops = $crate::bindings::kernel_param_ops {
                flags: $crate::bindings::KERNEL_PARAM_OPS_FL_NOARG,
                set: Some(set),
                get: None,
                free: None,
            };

            #[link_section = "__param"]
            #[used(compiler)]
            static PARAM: $crate::module_param::KernelParam =
                $crate::module_param::KernelParam::new($crate::bindings::kernel_param {
                    name: $crate::str::as_char_ptr_in_const_context($name),
                    mod_: ::core::ptr::null_mut(),
                    ops: &raw const OPS,
                    perm: 0,
                    level: -1,
                    flags: 0,
                    __bindgen_anon_1: $crate::bindings::kernel_param__bindgen_ty_1 {
                        arg: ::core::ptr::null_mut(),
                    },
                });
        };
    };
}
