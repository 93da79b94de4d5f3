/* What a copy of the process does to one object, and what it sees: all of it is lost with the copy. */
#include "audit.h"

static PyObject *dying;
static Report *report_of_death;

/* ---- the moment at which its memory is freed ---- */

static PyMemAllocatorEx original;
static int death_began;

/* Whether the collector still had it in a list when its memory was freed: PyObject_GC_Del takes it out, but leaves what
 * PyObject_GC_UnTrack takes away (up to 3.7 gc_refs, later the link to the neighbour before it). */
static int left_in_list(void) {
#if HAS_gc_refs
    return head_tracked(dying);
#else
    Head *head = HEAD_OF(dying);
    return prev_of(head) != NULL;
#endif
}

static void watch_free(void *unused, void *block) {
    /* Other words may stand before the head of the collector. */
    ptrdiff_t before = (char *)HEAD_OF(dying) - (char *)block;
    if (death_began && report_of_death->is_gc && before >= 0 && before <= 32 && left_in_list())
        report_of_death->freed_tracked = 1;
    original.free(original.ctx, block);
}

static void *watch_malloc(void *unused, size_t size) { return original.malloc(original.ctx, size); }
static void *watch_calloc(void *unused, size_t n, size_t size) { return original.calloc(original.ctx, n, size); }
static void *watch_realloc(void *unused, void *block, size_t size) {
    return original.realloc(original.ctx, block, size);
}

static void watch_memory(void) {
    PyMemAllocatorEx watching = {NULL, watch_malloc, watch_calloc, watch_realloc, watch_free};
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &original);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &watching);
}

/* ---- the order in which its deallocator works ---- */

/* Stands for the deallocator of what the dying object owns. */
static void spy_dealloc(PyObject *released) {
    if (!head_tracked(dying) || report_of_death->untracked_late) return;
    report_of_death->untracked_late = 1;
    strncpy(report_of_death->late_type, Py_TYPE(released)->tp_name, sizeof report_of_death->late_type - 1);
}

/* Gives it a type of its own, the same but for its deallocator, and only the references that the dying object reports. */
static void spy_on(int32_t index) {
    PyObject *o = known[index].object;
    PyTypeObject *type = Py_TYPE(o);
    size_t size = type->tp_flags & Py_TPFLAGS_HEAPTYPE ? (size_t)Py_TYPE(type)->tp_basicsize : sizeof *type;
    char *copy = PyMem_RawCalloc(1, 64 + size);
    PyTypeObject *spy;
    if (!copy) return;
    memcpy(copy + 64 - sizeof(Head), HEAD_OF(type), type->tp_flags & Py_TPFLAGS_HEAPTYPE ? sizeof(Head) : 0);
    memcpy(copy + 64, type, size);
    spy = (PyTypeObject *)(copy + 64);
    spy->tp_dealloc = spy_dealloc;
    Py_SET_TYPE(o, spy);
    Py_SET_REFCNT(o, known[index].visits);
}

static void spy_on_members(PyObject *x) {
    int32_t i;
    for (i = 0; i < n_known; i++) {
        PyObject *o = known[i].object;
        if (known[i].visits && !is_inert(o, 4) && !PyType_Check(o) && !PyModule_Check(o) && o != x) spy_on(i);
    }
}

/* ---- the death ---- */

/* Up to 3.7 a dead object may be a root of a debug build's list of all objects; nobody reads it in a copy. */
static void kill(PyObject *x) {
    dying = x;
    death_began = 1;
    Py_SET_REFCNT(x, 1);
    Py_DECREF(x);
    death_began = 0;
    PyErr_Clear();
}

/* Its weak references are forgotten: no callback of theirs runs, and none of them is cleared. */
static void forget_weakrefs(PyObject *x) {
    PyObject **list = weak_list(x);
    if (list) *list = NULL;
}

/* What traverse reports, again and again: 1 if it is not always the same. */
static int is_unstable(PyObject *x) {
    int32_t i, *first = PyMem_RawMalloc((size_t)n_known * sizeof *first);
    int again, unstable = 0;
    if (!first) return 0;
    count_visits(x);
    for (i = 0; i < n_known; i++) first[i] = known[i].visits;
    for (again = 0; again < 3 && !unstable; again++) {
        count_visits(x);
        for (i = 0; i < n_known; i++)
            if (known[i].visits != first[i]) unstable = 1;
    }
    PyMem_RawFree(first);
    return unstable;
}

static int32_t flags_of(PyObject *x, int32_t index) {
    PyObject *o = known[index].object;
    int32_t flags = 0;
    if (is_inert(o, 4)) flags |= IS_INERT;
    if (PyObject_IS_GC(o)) flags |= IS_GC | (head_tracked(o) ? IS_TRACKED : 0);
    if (PyType_Check(o)) flags |= IS_TYPE;
    if (PyModule_Check(o)) flags |= IS_MODULE;
    if (PyCFunction_Check(o)) flags |= IS_BUILTIN_FUNCTION;
    if (is_python_class(Py_TYPE(o)) || PyFunction_Check(o) || PyMethod_Check(o)) flags |= IS_PYTHON;
    if (o == (PyObject *)report_of_death->type) flags |= IS_OWN_TYPE;
    if (Py_REFCNT(o) > HELD) flags |= IS_SHARED;
    if (leads_on(o)) flags |= LEADS_ON;
    if (reaches(index, x)) flags |= REACHES_BACK;
    return flags;
}

/* What is about the object before anything is done to it. */
static void look(PyObject *x, Report *report) {
    PyTypeObject *type = Py_TYPE(x);
    report->address = x;
    report->type = type;
    strncpy(report->type_name, type->tp_name, sizeof report->type_name - 1);
    report->is_gc = PyObject_IS_GC(x) != 0;
    report->is_tracked = report->is_gc && head_tracked(x);
    report->is_heap = (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0;
    report->is_python = is_python_class(type);
    report->has_finalizer = type->tp_finalize || type->tp_del;
    report->has_clear = type->tp_clear != NULL;
    report->has_weakrefs = weak_list(x) != NULL;
    report->unstable = is_unstable(x);
}

/* How many references to a known object are gone: all of them, if it is gone itself. */
static int64_t released_of(int32_t index) {
    PyObject *o = known[index].object;
    return known[index].before - (is_counted(o) ? Py_REFCNT(o) : 0);
}

static void record(PyObject *x, Report *report, int32_t index, int64_t cleared, int64_t after_clear) {
    Known *k = &known[index];
    Record *r;
    const Place *place = place_of(index);
    const char *member;
    if (report->n_records == (int32_t)(sizeof report->records / sizeof *r)) {
        report->too_many = 1;
        return;
    }
    r = &report->records[report->n_records++];
    memset(r, 0, sizeof *r);
    r->address = k->object;
    r->type = Py_TYPE(k->object);
    strncpy(r->type_name, Py_TYPE(k->object)->tp_name, sizeof r->type_name - 1);
    r->before = k->before;
    r->released = released_of(index);
    r->cleared = cleared;
    r->visits = k->visits;
    r->visits_after_clear = after_clear;
    r->explained = k->explained;
    r->flags = flags_of(x, index);
    if (!place) return;
    r->place = place->kind;
    r->offset = place->offset;
    member = place->kind == PLACE_OWN ? member_at((PyTypeObject *)report->type, place->offset) : NULL;
    if (member) strncpy(r->member, member, sizeof r->member - 1);
}

/* All whose counts do not agree with what was reported, and all that was reported. */
static void count(PyObject *x, Report *report, const int32_t *cleared, const int32_t *after_clear) {
    int32_t i;
    int explained = 0;
    for (i = 0; i < n_known; i++) {
        int64_t released;
        if (known[i].object == x || known[i].before >= NO_COUNT) continue;
        released = released_of(i);
        /* Its own type, too, where it is counted that nothing was released. */
        if (released <= 0 && known[i].visits == 0 && known[i].object != report->type) continue;
        if ((released != known[i].visits || cleared) && !explained) {
            count_explained(x);
            explained = 1;
        }
        record(x, report, i, cleared ? cleared[i] : 0, after_clear ? after_clear[i] : 0);
    }
}

static void copy_counts(void) {
    int32_t i;
    for (i = 0; i < n_known; i++) {
        int64_t n = Py_REFCNT(known[i].object);
        known[i].before = n > 0 && n < NO_COUNT ? n : NO_COUNT;
    }
}

/* tp_clear, as the collector calls it: what it released, and what traverse reports then. */
static int clear(PyObject *x, int32_t **cleared, int32_t **after) {
    int32_t i, *visits = PyMem_RawMalloc((size_t)n_known * sizeof *visits);
    *cleared = PyMem_RawMalloc((size_t)n_known * sizeof **cleared);
    *after = PyMem_RawMalloc((size_t)n_known * sizeof **after);
    if (!visits || !*cleared || !*after) return -1;
    for (i = 0; i < n_known; i++) visits[i] = known[i].visits;
    Py_TYPE(x)->tp_clear(x);
    PyErr_Clear();
    for (i = 0; i < n_known; i++) (*cleared)[i] = (int32_t)(known[i].before - Py_REFCNT(known[i].object));
    count_visits(x);
    for (i = 0; i < n_known; i++) {
        (*after)[i] = known[i].visits;
        known[i].visits = visits[i];
    }
    PyMem_RawFree(visits);
    return 0;
}

void die(PyObject *x, int mode, Report *report) {
    PyObject *weak = NULL;
    int32_t *cleared = NULL, *after = NULL;
    report_of_death = report;
    dying = x;
    report->stage = STAGE_LOOK;
    look(x, report);
    report->immortal = !is_counted(x);
    if (report->immortal) return;
    find_places(x);
    forget_weakrefs(x);
    report->stage = STAGE_FINALIZER;
    if (report->has_finalizer && !(mode & MODE_FINALIZER_INSIDE)) {
        PyObject_CallFinalizer(x);
        PyErr_Clear();
        forget_weakrefs(x);
    }
    if (mode & MODE_WEAK) {
        weak = PyWeakref_NewRef(x, NULL);
        PyErr_Clear();
    }
    count_visits(x);
    copy_counts();
    watch_memory();
    report->stage = STAGE_CLEAR;
    if (mode & MODE_CLEAR && clear(x, &cleared, &after) < 0) return;
    if (mode & MODE_ORDER) spy_on_members(x);
    report->stage = STAGE_DEATH;
    kill(x);
    report->stage = STAGE_COUNT;
    report->weak_left = weak && ((PyWeakReference *)weak)->wr_object == x;
    /* Brought back to life by its own deallocator or finalizer: nothing was released, and nothing is to be said of it. */
    report->revived = report->has_finalizer && is_counted(x);
    if (!(mode & (MODE_ORDER | MODE_WEAK))) count(x, report, cleared, after);
    report->stage = STAGE_DONE;
}
