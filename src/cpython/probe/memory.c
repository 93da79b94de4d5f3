/* What the whole process holds: the oracle for leaks that no event shows. */
#include "probe.h"

static PyObject *total_references, *allocated_blocks;

static PyObject *of_sys(const char *name) {
    PyObject *o = PySys_GetObject((char *)name);
    Py_XINCREF(o);
    return o;
}

void memory_setup(void) {
    total_references = of_sys("gettotalrefcount"); /* debug builds */
    allocated_blocks = of_sys("getallocatedblocks"); /* 3.4 and later */
}

static void report(PyObject *function, uint32_t what) {
    PyObject *n = function ? PyObject_Call(function, P.no_args, NULL) : NULL;
    if (n) emit_mark(EV_MEMORY, what, 0, (uint64_t)PyLong_AsLongLong(n));
    Py_XDECREF(n);
    PyErr_Clear();
}

/* Nothing of a scenario is left when this is called. */
void memory_report(void) {
    report(total_references, 0);
    report(allocated_blocks, 1);
}
