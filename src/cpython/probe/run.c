/* Interprets the operations of a scenario. */
#include "probe.h"
#include <stdlib.h>

/* ---- scripts ---- */

int run_script(int code, uint8_t script, PyObject *owner, PyObject *arg) {
    Frame outer = P.frame;
    int raised = 0;
    if (P.silent) return 0;
    emit(EV_ENTER, (uint32_t)code, id_of(owner), arg ? id_of(arg) : 0);
    snapshot();
    P.frame.owner = owner;
    P.frame.arg = arg;
    P.frame.depth = outer.depth + 1;
    if ((uint32_t)P.frame.depth < P.max_depth) raised = run_body((uint32_t)script + 1);
    P.frame = outer;
    emit(EV_LEAVE, 0, 0, 0);
    snapshot();
    if (!raised) return 0;
    if (P.n_raised < 256) P.raised[P.n_raised++] = id_of(owner);
    PyErr_SetObject((PyObject *)Py_TYPE(P.exception), P.exception);
    return -1;
}

void run_script_unraisable(int code, uint8_t script, PyObject *owner) {
    PyObject *type, *value, *traceback;
    if (P.silent) return;
    PyErr_Fetch(&type, &value, &traceback);
    if (run_script(code, script, owner, NULL) < 0) PyErr_WriteUnraisable(owner);
    PyErr_Restore(type, value, traceback);
}

static int can_call(PyObject *o) {
    const Kind *kind = o ? kind_of(o) : NULL;
    return kind && kind->on_call != NO_SCRIPT && is_callable_shape(kind->shape);
}

/* ---- operations ---- */


/* Stores a new reference, or drops it if the place cannot take it. */
static void keep(const Place *dst, PyObject *o) {
    if (!store(dst, o)) Py_DECREF(o);
}

uint32_t add_object(PyObject *o, const Kind *kind, uint32_t origin, uint32_t role) {
    uint32_t id = is_node(o) ? id_of(o) : table_add(o, kind);
    if (id == 0) {
        events_give_up(GAVE_UP_ERROR);
        return 0;
    }
    entry_of(id)->origin = origin;
    entry_of(id)->role = (uint8_t)role;
    emit(EV_NEW, role, id, origin);
    return id;
}

void add_weak(PyObject *w, const Kind *kind, uint32_t origin, uint32_t role, PyObject *referent, PyObject *callback) {
    uint32_t id = add_object(w, kind, origin, role);
    if (id == 0) return;
    entry_of(id)->referent = id_of(referent);
    emit(EV_NEW_WEAK, 0, id, (uint64_t)id_of(referent) | (uint64_t)(callback ? id_of(callback) : 0) << 32);
}

static void new_weak(const Op *op, PyObject *referent, PyObject *callback, uint32_t origin) {
    PyObject *w;
    Py_INCREF(referent);
    Py_XINCREF(callback);
    w = weak_new(op->kind.shape, referent, callback);
    if (w && !id_of(w)) add_weak(w, &op->kind, origin, ROLE_NAMED, referent, callback); /* else the shared one */
    Py_XDECREF(callback);
    Py_DECREF(referent);
    if (w) {
        keep(&op->dst, w);
    } else {
        PyErr_Clear();
        events_give_up(GAVE_UP_ERROR);
    }
}

/* A function's closure is a tuple of cells, or it has none. */
static PyObject *fit_closure(PyObject *o) {
    Py_ssize_t i;
    if (shape_of(o) != SHAPE_TUPLE || PyTuple_GET_SIZE(o) == 0) return NULL;
    for (i = 0; i < PyTuple_GET_SIZE(o); i++)
        if (shape_of(PyTuple_GET_ITEM(o, i)) != SHAPE_CELL) return NULL;
    return o;
}

static PyObject *make_object(const Kind *kind, PyObject *a, PyObject *b) {
    switch (kind->shape) {
    case SHAPE_LIST: return PyList_New(0);
    case SHAPE_TUPLE: return tuple_new(a, b);
    case SHAPE_DICT: return PyDict_New();
    case SHAPE_CELL: return PyCell_New(a);
    case SHAPE_FUNCTION: return function_new(fit_closure(a), shape_of(b) == SHAPE_TUPLE ? b : NULL);
#if PY_MAJOR_VERSION >= 3
    case SHAPE_METHOD: return PyMethod_New(a, b);
#else
    case SHAPE_METHOD: return PyMethod_New(a, b, NULL);
#endif
    case SHAPE_INSTANCE:
    case SHAPE_SLOTTED:
    case SHAPE_BARE: return pyclass_new(kind);
    default: return node_new(kind);
    }
}

/* A new object of any shape but weak references and what is composed of several. */
static PyObject *new_object(const Kind *kind, PyObject *a, PyObject *b, uint32_t origin) {
    PyObject *o = make_object(kind, a, b);
    uint32_t slot;
    if (!o) {
        PyErr_Clear();
        events_give_up(GAVE_UP_ERROR);
        return NULL;
    }
    if (add_object(o, kind, origin, ROLE_NAMED) && (a || b) && kind->shape != SHAPE_NODE)
        for (slot = 0; slot < 2; slot++) {
            PyObject *content = slot_get(o, slot);
            if (content) report_store(o, slot, content);
        }
    return o;
}

/* Finds what a new object is made of; 0 if it cannot be made. */
static int operands(const Op *op, PyObject **a, PyObject **b) {
    int shape = op->kind.shape;
    *a = eval(&op->x);
    *b = eval(&op->y);
    switch (shape) {
    case SHAPE_REF:
    case SHAPE_PROXY:
    case SHAPE_KEYED_REF: return can_have_weakrefs(shape_of(*a)) && (!*b || can_call(*b));
    case SHAPE_COMPOSED_FINALIZE:
    case SHAPE_FINALIZE: return HAS_FINALIZE && can_have_weakrefs(shape_of(*a)) && can_call(*b);
    case SHAPE_LIBRARY_VALUE_DICT:
    case SHAPE_LIBRARY_SET: *a = *b = NULL; return HAS_FINALIZE;
    case SHAPE_METHOD: return shape_of(*a) == SHAPE_FUNCTION && *b;
    case SHAPE_TUPLE:
    case SHAPE_FUNCTION: return 1;
    case SHAPE_CELL: *b = NULL; return 1;
    default: *a = *b = NULL; return 1;
    }
}

static int has_header(const Kind *kind) {
    if (kind->shape == SHAPE_BARE || kind->shape == SHAPE_FINALIZE) return PyType_IS_GC(pyclass_type(kind));
    return kind->tracking != TRACKING_NO_HEADER;
}

static int op_new(const Op *op, uint32_t origin) {
    int shape = op->kind.shape;
    PyObject *o, *a, *b;
    if (!operands(op, &a, &b)) return 0;
    /* A collection that its allocation starts may take its operands away. */
    if (has_header(&op->kind) && !(a && !b && weak_is_shared(shape, a)) && before_allocation() && !operands(op, &a, &b)) return 0;
    if (is_weak_shape(shape)) {
        new_weak(op, a, b, origin);
        return 1;
    }
    if (shape == SHAPE_FINALIZE) o = library_finalize_new(&op->kind, a, b, origin);
    else if (shape == SHAPE_COMPOSED_FINALIZE) o = finalize_new(&op->kind, a, b, origin);
    else if (is_library_container(shape)) o = library_container_new(&op->kind, origin);
    else if (is_container_shape(shape)) o = container_new(&op->kind, origin);
    else o = new_object(&op->kind, a, b, origin);
    if (o) keep(&op->dst, o);
    return 1;
}

static int op_set(const Op *op) {
    PyObject *value = eval(&op->x);
    int done;
    if (!value && op->x.base != BASE_NOTHING) return 0;
    Py_XINCREF(value);
    done = store(&op->dst, value);
    if (!done) Py_XDECREF(value);
    return done;
}

static int op_deref(const Op *op) {
    PyObject *w = eval(&op->x), *referent;
    const Kind *kind = w ? kind_of(w) : NULL;
    if (!kind || !is_weak_shape(kind->shape)) return 0;
    referent = weak_answer(w);
    emit(EV_ANSWER, 0, id_of(w), referent ? id_of(referent) : 0);
    if (referent) keep(&op->dst, referent);
    return 1;
}

static void op_look(void) {
    static PyObject **stack;
    static size_t cap;
    size_t n = 0;
    uint32_t root;
    P.mark++;
    for (root = 0; root < P.n_vars + 2; root++) {
        PyObject *o = root == 0 ? P.frame.owner : root == 1 ? P.frame.arg : P.vars[root - 2];
        PyObject *edges[MAX_EDGES];
        for (;;) {
            uint32_t id = o ? id_of(o) : 0;
            if (id && entry_of(id)->mark != P.mark) {
                int i = edges_of(o, edges);
                entry_of(id)->mark = P.mark;
                emit(EV_SAW, 0, id, 0);
                if (n + MAX_EDGES > cap) {
                    PyObject **grown = realloc(stack, (cap * 2 + MAX_EDGES) * sizeof *stack);
                    if (!grown) return;
                    stack = grown;
                    cap = cap * 2 + MAX_EDGES;
                }
                while (i > 0) stack[n++] = edges[--i];
            }
            if (n == 0) break;
            o = stack[--n];
        }
    }
}

static void op_scan(void) {
    PyObject *list = PyObject_Call(P.gc_get_objects, P.no_args, NULL);
    Py_ssize_t i;
    if (!list) {
        PyErr_Clear();
        return;
    }
    for (i = 0; i < PyList_GET_SIZE(list); i++) {
        uint32_t id = id_of(PyList_GET_ITEM(list, i));
        if (id) emit(EV_SAW, 1, id, 0);
    }
    Py_DECREF(list);
}

static void call0(PyObject *function, PyObject *args) {
    PyObject *r = PyObject_Call(function, args, NULL);
    if (r) Py_DECREF(r);
    else PyErr_Clear();
}

static int op_call(const Op *op) {
    PyObject *callable = eval(&op->x), *r;
    if (!can_call(callable)) return 0;
    Py_INCREF(callable); /* as the interpreter's stack holds what it calls */
    r = call_function(callable, CALLING);
    if (r) Py_DECREF(r);
    else PyErr_WriteUnraisable(callable);
    Py_DECREF(callable);
    return 1;
}

static int op_build(const Op *op, uint32_t origin) {
    PyObject **made, *last;
    uint32_t i, n = op->n;
    if (n == 0 || !is_extension_shape(op->kind.shape)) return 0;
    made = malloc(n * sizeof *made);
    if (!made) {
        events_give_up(GAVE_UP_ERROR);
        return 1;
    }
    for (i = 0; i < n && !P.silent; i++) {
        made[i] = new_object(&op->kind, NULL, NULL, origin);
        if (!made[i]) break;
        if (op->a == BULK_CHAIN || op->a == BULK_RING) {
            if (i == 0) continue;
            ((Node *)made[i])->slot[0] = made[i - 1];
            emit(EV_STORE_SLOT, 0, id_of(made[i]), id_of(made[i - 1]));
        } else if (op->a == BULK_KNOTS) {
            Py_INCREF(made[i]);
            ((Node *)made[i])->slot[0] = made[i];
            emit(EV_STORE_SLOT, 0, id_of(made[i]), id_of(made[i]));
            if (i == 0) continue;
            ((Node *)made[i])->slot[1] = made[i - 1];
            emit(EV_STORE_SLOT, 1, id_of(made[i]), id_of(made[i - 1]));
        }
    }
    n = i;
    last = n ? made[n - 1] : NULL;
    if (op->a == BULK_RING && n) {
        Py_INCREF(last);
        ((Node *)made[0])->slot[1] = last;
        emit(EV_STORE_SLOT, 1, id_of(made[0]), id_of(last));
    }
    if (op->a == BULK_TREE) {
        for (i = 0; i < n; i++) {
            uint32_t side;
            for (side = 0; side < 2 && 2 * (uint64_t)i + 1 + side < n; side++) {
                PyObject *child = made[2 * i + 1 + side];
                ((Node *)made[i])->slot[side] = child;
                emit(EV_STORE_SLOT, side, id_of(made[i]), id_of(child));
            }
        }
        last = n ? made[0] : NULL;
    }
    free(made);
    if (last) keep(&op->dst, last);
    return 1;
}

static int gc_list_op(PyObject *list, PyObject *add) {
    if (!list) return 0;
    if (add) return PyList_Append(list, add) == 0;
    if (PyList_GET_SIZE(list) == 0) return 0;
    PyList_SetSlice(list, 0, PyList_GET_SIZE(list), NULL);
    return 1;
}

static int add_gc_callback(PyObject *callable) {
    PyObject *entry = P.callbacks ? gc_callback_of(callable) : NULL;
    int done = entry && gc_list_op(P.callbacks, entry);
    Py_XDECREF(entry);
    return done;
}

int in_repeated_body = 0;

static int op_repeat(const Op *op) {
    uint32_t i;
    if (P.frame.depth > 0 || in_repeated_body) return 0;
    in_repeated_body = 1;
    for (i = 0; i < op->a; i++) run_body(op->n + 1);
    in_repeated_body = 0;
    return op->a > 0;
}

/* Returns 0 without effect, 1 with, 2 to end the body with an exception. */
static int run_op(const Op *op) {
    uint32_t origin = (uint32_t)(op - P.ops);
    PyObject *o;
    switch (op->code) {
    case OP_NEW: return op_new(op, origin);
    case OP_SET: return op_set(op);
    case OP_DEREF: return op_deref(op);
    case OP_LOOK: op_look(); return 1;
    case OP_SCAN: op_scan(); return 1;
    case OP_COLLECT: return op_collect(op->a);
    case OP_CALL: return op_call(op);
    case OP_RAISE: return P.frame.depth > 0 ? 2 : 0;
    case OP_COLLECT_AT_ALLOCATION: collect_at_allocation(op->a, op->b); return 1;
    case OP_ENABLE:
    case OP_DISABLE: set_enabled(op->code == OP_ENABLE); return 1;
    case OP_SET_THRESHOLD: set_thresholds(op->n & 0xffff, op->n >> 16, op->a | op->b << 8); return 1;
    case OP_FREEZE:
    case OP_UNFREEZE:
        if (!P.gc_freeze) return 0;
        call0(op->code == OP_FREEZE ? P.gc_freeze : P.gc_unfreeze, P.no_args);
        return 1;
    case OP_SAVE_ALL:
        call0(P.gc_set_debug, op->a ? P.debug_on : P.debug_off);
        go_on_listening();
        return 1;
    case OP_EMPTY_GARBAGE: return gc_list_op(P.garbage, NULL);
    case OP_ADD_GC_CALLBACK:
        o = eval(&op->x);
        return can_call(o) && add_gc_callback(o);
    case OP_EMPTY_GC_CALLBACKS: gc_callbacks_release(); return gc_list_op(P.callbacks, NULL);
    case OP_TRACK: o = eval(&op->x); return o && is_node(o) && node_track(o);
    case OP_UNTRACK: o = eval(&op->x); return o && is_node(o) && node_untrack(o);
    case OP_REPEAT: return op_repeat(op);
    case OP_BUILD: return op_build(op, origin);
    case OP_LEN: return op_len(eval(&op->x));
    case OP_ITERATE: return op_iterate(eval(&op->x), op->n);
    default: return 0;
    }
}

/* Runs the operations of a body; 1 if it ended with an exception. */
int run_body(uint32_t body) {
    uint32_t i, start = body == 0 || body >= P.n_bodies ? 0 : P.ends[body - 1];
    uint32_t end = body < P.n_bodies ? P.ends[body] : 0;
    for (i = start; i < end && !P.silent; i++) {
        int done;
        if (P.frame.depth > 0 && P.script_steps++ >= P.max_script_steps) break;
        if (body == 0) {
            serve_due();
            emit(EV_STEP, 0, i, 0);
        }
        done = run_op(&P.ops[i]);
        if (done == 0) emit(EV_NO_EFFECT, 0, 0, 0);
        if (done == 2) return 1;
    }
    if (body == 0) serve_due();
    return 0;
}

int scenario_run(void) {
    P.silent = 0;
    P.script_steps = 0;
    P.frame.owner = P.frame.arg = NULL;
    P.frame.depth = 0;
    P.collecting = P.calling = 0;
    P.n_raised = 0;
    collect_reset();
    container_reset();
    library_reset();
    library_containers_reset();
    in_repeated_body = 0;
    run_body(0);
    emit(EV_END, 0, 0, 0);
    snapshot();
    return events_gave_up() ? STATUS_GAVE_UP : STATUS_DONE;
}

/* Frees everything that the scenario left, unseen: no events, no scripts. */
void scenario_cleanup(void) {
    uint32_t id, i;
    P.silent = 1;
    PyErr_Clear();
    /* Until 3.7 objects may still be in the trashcan: the end of any list's deallocator empties it. */
    Py_XDECREF(PyList_New(0));
    gc_list_op(P.callbacks, NULL);
    call0(P.gc_set_debug, P.debug_off);
    for (i = 0; i < P.n_vars; i++) Py_CLEAR(P.vars[i]);
    P.n_vars = 0;
    gc_list_op(P.garbage, NULL);
    for (id = 1; id <= P.n_entries; id++) {
        PyObject *o = entry_of(id)->object;
        if (!o || Py_REFCNT(o) == 0) continue;
        Py_INCREF(o);
        empty(o);
        if (entry_of(id)->registered && entry_of(id)->kind->shape == SHAPE_FINALIZE) library_unregister(o);
        else if (entry_of(id)->registered) Py_DECREF(o);
        Py_DECREF(o);
    }
    Py_XDECREF(PyList_New(0));
    if (P.gc_unfreeze && gc_first(3)) call0(P.gc_unfreeze, P.no_args);
    call0(P.gc_collect, P.gen_args[2]);
    if (!gc_is_empty()) {
        /* The interpreter's own. They would count as long-lived. */
        gc_hide_all();
        call0(P.gc_collect, P.gen_args[2]);
    }
}
