/* What a type is, as far as the audit has to know. */
#define _GNU_SOURCE
#include "audit.h"
#include <dlfcn.h>
#include <structmember.h>

static traverseproc python_traverse;
static destructor python_dealloc;

int types_setup(void) {
    PyObject *class = PyObject_CallFunction((PyObject *)&PyType_Type, "s(){}", "Example");
    if (!class) return -1;
    python_traverse = ((PyTypeObject *)class)->tp_traverse;
    python_dealloc = ((PyTypeObject *)class)->tp_dealloc;
    Py_DECREF(class);
    return 0;
}

/* A class that a `class` statement made, or a type in C that leaves both to the interpreter: neither can be wrong. */
int is_python_class(PyTypeObject *type) {
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) || type->tp_dealloc != python_dealloc) return 0;
    return type->tp_traverse == python_traverse || !type->tp_traverse;
}

PyTypeObject *c_type(PyTypeObject *type) {
    while (type->tp_base && is_python_class(type)) type = type->tp_base;
    return type;
}

int is_counted(PyObject *o) {
    return Py_REFCNT(o) > 0 && Py_REFCNT(o) < NO_COUNT;
}

/* True if nothing in it can ever lead anywhere: it has no part in a cycle, today or later. */
int is_inert(PyObject *o, int depth) {
    Py_ssize_t i;
    if (!is_counted(o)) return 1;
    if (PyType_Check(o)) return !(((PyTypeObject *)o)->tp_flags & Py_TPFLAGS_HEAPTYPE);
    if (PyTuple_CheckExact(o)) {
        for (i = 0; i < PyTuple_GET_SIZE(o); i++) {
            PyObject *item = PyTuple_GET_ITEM(o, i);
            if (item && (depth == 0 || !is_inert(item, depth - 1))) return 0;
        }
        return 1;
    }
    if (PyFrozenSet_CheckExact(o) && PySet_GET_SIZE(o) == 0) return 1;
    if (PyCode_Check(o)) return 1;
    return !PyObject_IS_GC(o);
}

const char *member_at(PyTypeObject *type, int64_t offset) {
    for (; type; type = type->tp_base) {
        PyMemberDef *member = is_python_class(type) ? NULL : type->tp_members;
        for (; member && member->name; member++)
            if (member->offset == offset) return member->name;
    }
    return NULL;
}

PyObject **weak_list(PyObject *o) {
    Py_ssize_t offset = Py_TYPE(o)->tp_weaklistoffset;
    return offset ? (PyObject **)((char *)o + offset) : NULL;
}

/* The file that a type comes from: where it stands itself, else what it is made of. */
const char *library_of(PyTypeObject *type) {
    const void *parts[] = {type->tp_flags & Py_TPFLAGS_HEAPTYPE ? NULL : type, type->tp_methods, type->tp_getset,
                           type->tp_members, type->tp_dealloc != python_dealloc ? (void *)type->tp_dealloc : NULL,
                           type->tp_traverse != python_traverse ? (void *)type->tp_traverse : NULL,
                           type->tp_iternext, type->tp_call, type->tp_new};
    Dl_info info;
    size_t i;
    for (i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i] && dladdr(parts[i], &info) && info.dli_fname) return info.dli_fname;
    return "";
}
