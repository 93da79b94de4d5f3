/* The table of known objects. */
#include "audit.h"
#include <frameobject.h>
#include <stdlib.h>

Known *known;
int32_t n_known;
static int32_t room, *buckets, n_buckets; /* open addressing; 0 is free, else an index plus 1 */
static int32_t mark;

static uint32_t bucket_of(const void *address) {
    return (uint32_t)(((uintptr_t)address >> 4) * 0x9E3779B97F4A7C15ull >> 33) & (uint32_t)(n_buckets - 1);
}

int32_t find_object(const void *address) {
    uint32_t b;
    if (!n_buckets) return -1;
    for (b = bucket_of(address); buckets[b]; b = (b + 1) & (uint32_t)(n_buckets - 1))
        if (known[buckets[b] - 1].object == address) return buckets[b] - 1;
    return -1;
}

static void enter(int32_t index) {
    uint32_t b = bucket_of(known[index].object);
    while (buckets[b]) b = (b + 1) & (uint32_t)(n_buckets - 1);
    buckets[b] = index + 1;
}

static int grow(void) {
    int32_t i, more = room ? 2 * room : 1 << 16;
    Known *moved = realloc(known, (size_t)more * sizeof *known);
    int32_t *fresh = calloc((size_t)more * 4, sizeof *fresh);
    if (moved) known = moved;
    if (!moved || !fresh) {
        free(fresh);
        PyErr_NoMemory();
        return -1;
    }
    free(buckets);
    buckets = fresh;
    n_buckets = more * 4;
    room = more;
    for (i = 0; i < n_known; i++) enter(i);
    return 0;
}

/* 0: it was known; 1: it is new; -1: no memory. */
static int add(PyObject *o) {
    int i;
    if (find_object(o) >= 0) return 0;
    if (n_known == room && grow() < 0) return -1;
    memset(&known[n_known], 0, sizeof *known);
    known[n_known].object = o;
    for (i = 0; i < HELD; i++) Py_INCREF(o);
    enter(n_known++);
    return 1;
}

static int visit_add(PyObject *o, void *unused) {
    return o && add(o) < 0 ? -1 : 0;
}

static int can_traverse(PyObject *o) {
    return PyObject_IS_GC(o) && Py_TYPE(o)->tp_traverse;
}

/* What the known objects from an index on report, and what those do. */
static int close_over(int32_t from) {
    for (; from < n_known; from++) {
        PyObject *o = known[from].object;
        if (add((PyObject *)Py_TYPE(o)) < 0) return -1;
        if (can_traverse(o) && Py_TYPE(o)->tp_traverse(o, visit_add, NULL) < 0) return -1;
    }
    return 0;
}

int add_objects(PyObject *list) {
    int32_t from = n_known;
    Py_ssize_t i;
    for (i = 0; i < PyList_GET_SIZE(list); i++)
        if (add(PyList_GET_ITEM(list, i)) < 0) return -1;
    return close_over(from);
}

int add_closure(PyObject *o) {
    int32_t from = n_known;
    return add(o) < 0 ? -1 : close_over(from);
}

int add_new_objects(void) {
    PyObject *gc = PyImport_ImportModule("gc"), *list = NULL;
    int result = -1;
    /* All that is older is known: the audit collects before it makes copies of the process, and 3.8 can tell apart. */
    if (gc) list = PyObject_CallMethod(gc, "get_objects", "i", 0);
    if (gc && !list) {
        PyErr_Clear();
        list = PyObject_CallMethod(gc, "get_objects", NULL);
    }
    if (list) result = add_objects(list);
    Py_XDECREF(list);
    Py_XDECREF(gc);
    return result;
}

static int visit_count(PyObject *o, void *unused) {
    int32_t index = find_object(o);
    if (index >= 0) known[index].visits++;
    return 0;
}

void count_visits(PyObject *x) {
    int32_t i;
    for (i = 0; i < n_known; i++) known[i].visits = 0;
    if (can_traverse(x)) Py_TYPE(x)->tp_traverse(x, visit_count, NULL);
}

static int visit_explain(PyObject *o, void *unused) {
    int32_t index = find_object(o);
    if (index >= 0) known[index].explained++;
    return 0;
}

/* Some are the table's. `except` may be dead: only its address counts. */
void count_explained(PyObject *except) {
    int32_t i;
    for (i = 0; i < n_known; i++) known[i].explained = HELD;
    for (i = 0; i < n_known; i++) {
        PyObject *o = known[i].object;
        if (o != except && can_traverse(o)) Py_TYPE(o)->tp_traverse(o, visit_explain, NULL);
    }
}

typedef struct { PyObject *x; int32_t *queue, tail, full; int found; } Search;

/* Modules, their dictionaries, and types in C live as long as the program: a way through them makes no cycle that dies. */
static int is_permanent(PyObject *o) {
    if (PyModule_Check(o) || PyFrame_Check(o)) return 1;
    if (PyType_Check(o)) return !is_python_class((PyTypeObject *)o);
    return PyDict_CheckExact(o) && PyDict_GetItemString(o, "__builtins__");
}

static int visit_search(PyObject *o, void *search) {
    Search *s = search;
    int32_t index;
    if (o == s->x) {
        s->found = 1;
        return 1;
    }
    index = find_object(o);
    if (index < 0 || known[index].mark == mark || s->tail == s->full) return 0;
    known[index].mark = mark;
    s->queue[s->tail++] = index;
    return 0;
}

int reaches(int32_t from, PyObject *x) {
    static int32_t queue[4000];
    Search s = {x, queue, 0, 4000, 0};
    int32_t head;
    mark++;
    known[from].mark = mark;
    queue[s.tail++] = from;
    for (head = 0; head < s.tail && !s.found; head++) {
        PyObject *o = known[queue[head]].object;
        if (can_traverse(o) && !is_permanent(o)) Py_TYPE(o)->tp_traverse(o, visit_search, &s);
    }
    return s.found;
}

static int visit_lively(PyObject *o, void *unused) {
    return !is_inert(o, 4) && !PyType_Check(o) && !PyModule_Check(o);
}

int leads_on(PyObject *o) {
    return can_traverse(o) && Py_TYPE(o)->tp_traverse(o, visit_lively, NULL) != 0;
}
