/* Types with one planted fault each, and types without: the planted bugs of `coroner audit`. src/audit/controls.rs says which
 * has which. They are made by make(), never freed in the process that made them, and audited in copies of it. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <string.h>

#include "features.h"
#include "heads.h"

#ifndef Py_SET_REFCNT
#define Py_SET_REFCNT(o, n) (Py_REFCNT(o) = (n))
#endif

typedef struct Control {
    PyObject_HEAD
    PyObject *member, *other;   /* owned, unless the type says otherwise */
    PyObject **block;           /* owned block of three references */
    uintptr_t tagged;           /* an owned reference with a mark in its lowest bit */
    struct Control *next, *before; /* neighbours in a ring: borrowed */
    PyObject *weakrefs;
    int calls;
} Control;

typedef int Traverse(Control *c, visitproc visit, void *arg);
typedef int Clear(Control *c);
typedef void Dealloc(Control *c);
/* Fills a new object; what it owns beside `target` it makes. */
typedef void Fill(Control *c, PyObject *target);

static void fill_member(Control *c, PyObject *target) {
    Py_INCREF(target);
    c->member = target;
}

static int visit_member(Control *c, visitproc visit, void *arg) {
    Py_VISIT(c->member);
    return 0;
}

static int clear_member(Control *c) {
    Py_CLEAR(c->member);
    return 0;
}

static void free_memory(Control *c) { Py_TYPE(c)->tp_free((PyObject *)c); }

static void drop_member(Control *c) {
    PyObject_GC_UnTrack(c);
    Py_XDECREF(c->member);
    free_memory(c);
}

/* ---- without a fault ---- */

static void fill_block(Control *c, PyObject *target) {
    int i;
    c->block = PyMem_RawMalloc(3 * sizeof *c->block);
    for (i = 0; i < 3; i++) {
        Py_INCREF(target);
        c->block[i] = target;
    }
}

static int visit_block(Control *c, visitproc visit, void *arg) {
    int i;
    for (i = 0; c->block && i < 3; i++) Py_VISIT(c->block[i]);
    return 0;
}

static int clear_block(Control *c) {
    PyObject **block = c->block;
    int i;
    c->block = NULL;
    for (i = 0; block && i < 3; i++) Py_DECREF(block[i]);
    PyMem_RawFree(block);
    return 0;
}

static void drop_block(Control *c) {
    PyObject_GC_UnTrack(c);
    clear_block(c);
    free_memory(c);
}

static void fill_borrowed(Control *c, PyObject *target) {
    fill_member(c, target);
    c->other = target;
    c->next = (Control *)Py_TYPE(target);
}

static PyObject *registry;

static void fill_registered(Control *c, PyObject *target) {
    PyObject *key = PyLong_FromVoidPtr(c);
    fill_member(c, target);
    PyDict_SetItem(registry, key, Py_None);
    Py_DECREF(key);
}

static void drop_registered(Control *c) {
    PyObject *key = PyLong_FromVoidPtr(c);
    PyObject_GC_UnTrack(c);
    PyDict_DelItem(registry, key);
    Py_DECREF(key);
    Py_XDECREF(c->member);
    free_memory(c);
}

static Control ring = {.next = &ring, .before = &ring};

static void fill_ring(Control *c, PyObject *target) {
    fill_member(c, target);
    c->next = ring.next;
    c->before = &ring;
    c->next->before = c;
    ring.next = c;
}

static void drop_ring(Control *c) {
    PyObject_GC_UnTrack(c);
    c->before->next = c->next;
    c->next->before = c->before;
    Py_XDECREF(c->member);
    free_memory(c);
}

static void drop_weak(Control *c) {
    PyObject_GC_UnTrack(c);
    if (c->weakrefs) PyObject_ClearWeakRefs((PyObject *)c);
    Py_XDECREF(c->member);
    free_memory(c);
}

static int visit_member_and_type(Control *c, visitproc visit, void *arg) {
#if PY_VERSION_HEX >= 0x03090000
    Py_VISIT(Py_TYPE(c));
#endif
    Py_VISIT(c->member);
    return 0;
}

static void drop_heap(Control *c) {
    PyTypeObject *type = Py_TYPE(c);
    PyObject_GC_UnTrack(c);
    Py_XDECREF(c->member);
    type->tp_free((PyObject *)c);
    Py_DECREF(type);
}

static void fill_text(Control *c, PyObject *target) { c->member = PyUnicode_FromFormat("text of %p", c); }
static void fill_numbers(Control *c, PyObject *target) { c->member = Py_BuildValue("(iis)", 1000, 2000, "three"); }

static void drop_plain(Control *c) {
    Py_XDECREF(c->member);
    free_memory(c);
}

static void drop_plain_heap(Control *c) {
    PyTypeObject *type = Py_TYPE(c);
    drop_plain(c);
    Py_DECREF(type);
}

static void fill_twice(Control *c, PyObject *target) {
    fill_member(c, target);
    Py_INCREF(target);
    c->other = target;
}

static int visit_both(Control *c, visitproc visit, void *arg) {
    Py_VISIT(c->member);
    Py_VISIT(c->other);
    return 0;
}

static int clear_both(Control *c) {
    Py_CLEAR(c->member);
    Py_CLEAR(c->other);
    return 0;
}

static void drop_both(Control *c) {
    PyObject_GC_UnTrack(c);
    clear_both(c);
    free_memory(c);
}

static Control *spare, *spare_untracked;

static void drop_to_spare(Control *c) {
    PyObject_GC_UnTrack(c);
    Py_CLEAR(c->member);
    if (!spare) spare = c;
    else free_memory(c);
}

static void drop_to_spare_untracked(Control *c) {
    PyObject_GC_UnTrack(c);
    Py_CLEAR(c->member);
    if (!spare_untracked) spare_untracked = c;
    else free_memory(c);
}

static void finalize_member(PyObject *c) { Py_CLEAR(((Control *)c)->member); }

static void drop_finalized(Control *c) {
    if (PyObject_CallFinalizerFromDealloc((PyObject *)c) < 0) return;
    drop_member(c);
}

/* ---- with a fault ---- */

static int visit_nothing(Control *c, visitproc visit, void *arg) { return 0; }

static void fill_tagged(Control *c, PyObject *target) {
    Py_INCREF(target);
    c->tagged = (uintptr_t)target | 1;
}

static int clear_tagged(Control *c) {
    PyObject *member = (PyObject *)(c->tagged & ~(uintptr_t)1);
    c->tagged = 0;
    Py_XDECREF(member);
    return 0;
}

static void drop_tagged(Control *c) {
    PyObject_GC_UnTrack(c);
    clear_tagged(c);
    free_memory(c);
}

static void fill_list(Control *c, PyObject *target) {
    c->member = PyList_New(1);
    Py_INCREF(target);
    PyList_SET_ITEM(c->member, 0, target);
}

static int visit_borrowed(Control *c, visitproc visit, void *arg) {
    Py_VISIT(c->member);
    Py_VISIT(c->other);
    return 0;
}

static int visit_fickle(Control *c, visitproc visit, void *arg) {
    if (c->calls++ % 2 == 0) Py_VISIT(c->member);
    return 0;
}

static void drop_keeping_type(Control *c) {
    PyObject_GC_UnTrack(c);
    Py_XDECREF(c->member);
    free_memory(c);
}

static void drop_member_twice(Control *c) {
    PyObject_GC_UnTrack(c);
    Py_DECREF(c->member);
    Py_DECREF(c->member);
    free_memory(c);
}

static int clear_without_setting(Control *c) {
    Py_XDECREF(c->member);
    return 0;
}

/* The reference is given away, and the address stays: only traverse goes by it. */
static int clear_keeping_address(Control *c) {
    PyObject *member = c->member;
    c->member = NULL;
    c->other = member;
    Py_XDECREF(member);
    return 0;
}

static void drop_tracked(Control *c) {
    Py_XDECREF(c->member);
    free_memory(c);
}

static void drop_block_of_memory(Control *c) {
    Py_XDECREF(c->member);
    PyObject_Free(HEAD_OF(c));
}

static void drop_untracking_late(Control *c) {
    Py_XDECREF(c->member);
    PyObject_GC_UnTrack(c);
    free_memory(c);
}

static void drop_leaking(Control *c) {
    PyObject_GC_UnTrack(c);
    free_memory(c);
}

static void drop_without_test(Control *c) {
    PyObject_GC_UnTrack(c);
    Py_SET_REFCNT(c->member, Py_REFCNT(c->member) - 1);
    free_memory(c);
}

static void fill_untracked(Control *c, PyObject *target) {
    PyObject_GC_UnTrack(c);
    fill_member(c, target);
}

/* ---- the table ---- */

enum { GC = 1, HEAP = 2, WEAK = 4, FINALIZER = 8, SPARE = 16, SPARE_UNTRACKED = 32 };

typedef struct {
    const char *name;
    int flags;
    Fill *fill;
    Traverse *traverse;
    Clear *clear;
    Dealloc *dealloc;
} Plan;

#define NAME(n) "coroner_controls." n
static const Plan plans[] = {
    {NAME("Plain"), GC, fill_member, visit_member, clear_member, drop_member},
    {NAME("Vector"), GC, fill_block, visit_block, clear_block, drop_block},
    {NAME("Borrowed"), GC, fill_borrowed, visit_member, clear_member, drop_member},
    {NAME("Registered"), GC, fill_registered, visit_member, clear_member, drop_registered},
    {NAME("Ring"), GC, fill_ring, visit_member, clear_member, drop_ring},
    {NAME("Weakly"), GC | WEAK, fill_member, visit_member, clear_member, drop_weak},
    {NAME("Heap"), GC | HEAP, fill_member, visit_member_and_type, clear_member, drop_heap},
    {NAME("Text"), 0, fill_text, NULL, NULL, drop_plain},
    {NAME("Numbers"), 0, fill_numbers, NULL, NULL, drop_plain},
    {NAME("Twice"), GC, fill_twice, visit_both, clear_both, drop_both},
    {NAME("Spare"), GC | SPARE, fill_member, visit_member, clear_member, drop_to_spare},
    {NAME("Finalizer"), GC | FINALIZER, fill_member, visit_member, clear_member, drop_finalized},

    {NAME("HideMember"), GC, fill_member, visit_nothing, clear_member, drop_member},
    {NAME("HideBlock"), GC, fill_block, visit_nothing, clear_block, drop_block},
    {NAME("HideTagged"), GC, fill_tagged, visit_nothing, clear_tagged, drop_tagged},
    {NAME("HideList"), GC, fill_list, visit_nothing, clear_member, drop_member},
    {NAME("HideSecond"), GC, fill_twice, visit_member, clear_both, drop_both},
    {NAME("HideFinalizer"), GC | FINALIZER, fill_member, visit_nothing, NULL, drop_finalized},
    {NAME("NoGc"), 0, fill_member, NULL, NULL, drop_plain},
    {NAME("NoGcHeap"), HEAP, fill_member, NULL, NULL, drop_plain_heap},
    {NAME("OverReport"), GC, fill_borrowed, visit_borrowed, clear_member, drop_member},
    {NAME("Fickle"), GC, fill_member, visit_fickle, clear_member, drop_member},
    {NAME("TypeNotVisited"), GC | HEAP, fill_member, visit_member, clear_member, drop_heap},
    {NAME("TypeNotReleased"), GC | HEAP, fill_member, visit_member_and_type, clear_member, drop_keeping_type},
    {NAME("DropsTwice"), GC, fill_member, visit_member, clear_member, drop_member_twice},
    {NAME("ClearsAndDrops"), GC, fill_member, visit_member, clear_without_setting, drop_member},
    {NAME("VisitsAfterClear"), GC, fill_member, visit_both, clear_keeping_address, drop_member},
    {NAME("NoUntrack"), GC, fill_member, visit_member, clear_member, drop_tracked},
    {NAME("NoUntrackFree"), GC, fill_member, visit_member, clear_member, drop_block_of_memory},
    {NAME("LateUntrack"), GC, fill_member, visit_member, clear_member, drop_untracking_late},
    {NAME("Weakrefs"), GC | WEAK, fill_member, visit_member, clear_member, drop_member},
    {NAME("DeallocLeaks"), GC, fill_member, visit_member, clear_member, drop_leaking},
    {NAME("CrashAfterClear"), GC, fill_member, visit_member, clear_member, drop_without_test},
    {NAME("Untracked"), GC, fill_untracked, visit_member, clear_member, drop_member},
    {NAME("SpareUntracked"), GC | SPARE_UNTRACKED, fill_member, visit_member, clear_member, drop_to_spare_untracked},
};
#define N_PLANS (sizeof plans / sizeof *plans)

static PyTypeObject statics[N_PLANS];
static PyTypeObject *types[N_PLANS];

static int setup_static(size_t i) {
    const Plan *plan = &plans[i];
    PyTypeObject *type = &statics[i];
    Py_SET_REFCNT((PyObject *)type, 1);
    type->tp_name = plan->name;
    type->tp_basicsize = sizeof(Control);
    type->tp_flags = Py_TPFLAGS_DEFAULT | (plan->flags & GC ? Py_TPFLAGS_HAVE_GC : 0);
    type->tp_dealloc = (destructor)plan->dealloc;
    type->tp_traverse = (traverseproc)plan->traverse;
    type->tp_clear = (inquiry)plan->clear;
    if (plan->flags & WEAK) type->tp_weaklistoffset = offsetof(Control, weakrefs);
    if (plan->flags & FINALIZER) type->tp_finalize = finalize_member;
    types[i] = type;
    return PyType_Ready(type);
}

static int setup_heap(size_t i) {
    const Plan *plan = &plans[i];
    PyType_Slot slots[] = {{Py_tp_dealloc, plan->dealloc}, {plan->traverse ? Py_tp_traverse : 0, plan->traverse},
                           {Py_tp_clear, plan->clear}, {0, NULL}};
    PyType_Spec spec = {plan->name, sizeof(Control), 0,
                        Py_TPFLAGS_DEFAULT | (plan->flags & GC ? Py_TPFLAGS_HAVE_GC : 0), slots};
    types[i] = (PyTypeObject *)PyType_FromSpec(&spec);
    return types[i] ? 0 : -1;
}

static PyObject *make_one(size_t i, PyObject *class) {
    const Plan *plan = &plans[i];
    Control *c, **kept = plan->flags & SPARE ? &spare : plan->flags & SPARE_UNTRACKED ? &spare_untracked : NULL;
    PyObject *target = PyObject_CallObject(class, NULL);
    if (!target) return NULL;
    if (kept && *kept) {
        c = *kept;
        *kept = NULL;
        Py_SET_REFCNT((PyObject *)c, 1);
        if (plan->flags & SPARE) PyObject_GC_Track(c);
    } else {
        c = (Control *)types[i]->tp_alloc(types[i], 0);
    }
    if (c) plan->fill(c, target);
    Py_DECREF(target);
    return (PyObject *)c;
}

/* make(class, n): n objects of each type, each with an instance of the class of its own. */
static PyObject *make(PyObject *self, PyObject *args) {
    PyObject *class, *list = PyList_New(0);
    size_t i;
    int n, at;
    if (!list || !PyArg_ParseTuple(args, "Oi", &class, &n)) return NULL;
    for (i = 0; i < N_PLANS; i++)
        for (at = 0; at < n; at++) {
            PyObject *one = make_one(i, class);
            /* The first of those that are kept for reuse dies at once; what comes after it is recycled. */
            if (one && at == 0 && plans[i].flags & (SPARE | SPARE_UNTRACKED)) {
                Py_DECREF(one);
                one = make_one(i, class);
            }
            if (!one || PyList_Append(list, one) < 0) return NULL;
            Py_DECREF(one);
        }
    return list;
}

static PyMethodDef methods[] = {{"make", make, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "coroner_controls", NULL, -1, methods};

PyMODINIT_FUNC PyInit_coroner_controls(void) {
    PyObject *module = PyModule_Create(&definition);
    size_t i;
    registry = PyDict_New();
    if (!module || !registry) return NULL;
    for (i = 0; i < N_PLANS; i++) {
        const char *name = strrchr(plans[i].name, '.') + 1;
        if ((plans[i].flags & HEAP ? setup_heap(i) : setup_static(i)) < 0) return NULL;
        Py_INCREF(types[i]);
        PyModule_AddObject(module, name, (PyObject *)types[i]);
    }
    return module;
}
