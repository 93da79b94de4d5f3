/* Interprets the operations of a scenario. */
#include "probe.h"
#include <stdlib.h>

static int run_body(uint32_t body);

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

/* ---- places ---- */

static const Kind *kind_of(PyObject *o) {
    uint32_t id = id_of(o);
    return id ? entry_of(id)->kind : NULL;
}

/* Where slot `slot` of an object lives; NULL if there is no such slot. */
static PyObject **slot_of(PyObject *o, uint8_t slot) {
    const Kind *kind;
    if (is_node(o)) return slot < NODE_SLOTS ? &((Node *)o)->slot[slot] : NULL;
    kind = kind_of(o);
    if (kind && kind->shape == SHAPE_KEYEDREF && slot == 0) return keyed_slot(o);
    return NULL;
}

static PyObject *base_of(const Place *p) {
    switch (p->base) {
    case BASE_VAR: return p->var < MAX_VARS ? P.vars[p->var] : NULL;
    case BASE_OWNER: return P.frame.owner;
    case BASE_ARG: return P.frame.arg;
    default: return NULL;
    }
}

static int path_length(const Place *p) { return p->path[0] == NO_STEP ? 0 : p->path[1] == NO_STEP ? 1 : 2; }

static PyObject *walk(const Place *p, int steps) {
    PyObject *o = base_of(p);
    int i;
    for (i = 0; o && i < steps; i++) {
        PyObject **slot = slot_of(o, p->path[i]);
        o = slot ? *slot : NULL;
    }
    return o;
}

static PyObject *eval(const Place *p) { return walk(p, path_length(p)); }

/* Stores `value` (a reference that is given away, or NULL). Returns 0 if nothing happened. */
static int store(const Place *dst, PyObject *value) {
    int n = path_length(dst);
    PyObject *old, *holder, **slot;
    if (n == 0) {
        if (dst->base == BASE_VAR && dst->var < MAX_VARS) {
            old = P.vars[dst->var];
            if (!old && !value) return 0;
            P.vars[dst->var] = value;
            emit(EV_STORE_VAR, dst->var, value ? id_of(value) : 0, 0);
            Py_XDECREF(old);
            return 1;
        }
        Py_XDECREF(value);
        return dst->base == BASE_NOTHING && value;
    }
    holder = walk(dst, n - 1);
    slot = holder ? slot_of(holder, dst->path[n - 1]) : NULL;
    if (!slot) {
        Py_XDECREF(value);
        return 0;
    }
    old = *slot;
    if (!old && !value) return 0;
    *slot = value;
    emit(EV_STORE_SLOT, dst->path[n - 1], id_of(holder), value ? id_of(value) : 0);
    Py_XDECREF(old);
    return 1;
}

static int can_call(PyObject *o) {
    const Kind *kind = o ? kind_of(o) : NULL;
    return kind && kind->shape == SHAPE_NODE && kind->on_call != NO_SCRIPT;
}

/* ---- operations ---- */

static int new_weak(const Op *op, uint32_t origin) {
    PyObject *referent = eval(&op->x), *callback = eval(&op->y), *w;
    const Kind *kind = referent ? kind_of(referent) : NULL;
    if (!kind || !(kind->shape == SHAPE_NODE || kind->shape == SHAPE_KEYEDREF)) return 0;
    if (callback && !can_call(callback)) callback = NULL;
    Py_INCREF(referent);
    Py_XINCREF(callback);
    w = weak_new(op->kind.shape, referent, callback);
    if (w && !id_of(w)) { /* else the canonical one */
        uint32_t id = table_add(w, &op->kind);
        if (id == 0) {
            events_give_up();
        } else {
            entry_of(id)->referent = id_of(referent);
            emit(EV_NEW, 0, id, origin);
            emit(EV_NEW_WEAK, 0, id, (uint64_t)id_of(referent) | (uint64_t)(callback ? id_of(callback) : 0) << 32);
        }
    }
    Py_XDECREF(callback);
    Py_DECREF(referent);
    if (!w) {
        PyErr_Clear();
        return 0;
    }
    store(&op->dst, w);
    return 1;
}

static PyObject *new_node(const Kind *kind, uint32_t origin) {
    PyObject *o = node_new(kind);
    if (!o) {
        PyErr_Clear();
        events_give_up();
        return NULL;
    }
    emit(EV_NEW, 0, ((Node *)o)->id, origin);
    return o;
}

static int op_new(const Op *op, uint32_t origin) {
    PyObject *o;
    if (is_weak_shape(op->kind.shape)) return new_weak(op, origin);
    o = new_node(&op->kind, origin);
    if (o) store(&op->dst, o);
    return 1;
}

static int op_set(const Op *op) {
    PyObject *value = eval(&op->x);
    if (!value && op->x.base != BASE_NOTHING) return 0;
    Py_XINCREF(value);
    return store(&op->dst, value);
}

static int op_deref(const Op *op) {
    PyObject *w = eval(&op->x), *referent;
    const Kind *kind = w ? kind_of(w) : NULL;
    if (!kind || !is_weak_shape(kind->shape)) return 0;
    referent = weak_answer(w);
    emit(EV_ANSWER, 0, id_of(w), referent ? id_of(referent) : 0);
    if (referent) store(&op->dst, referent);
    return 1;
}

int edges_of(PyObject *o, PyObject **out) {
    const Kind *kind = kind_of(o);
    int n = 0, i;
    for (i = 0; i < NODE_SLOTS; i++) {
        PyObject **slot = slot_of(o, (uint8_t)i);
        if (slot && *slot) out[n++] = *slot;
    }
    if (kind && is_weak_shape(kind->shape) && ((PyWeakReference *)o)->wr_callback)
        out[n++] = ((PyWeakReference *)o)->wr_callback;
    return n;
}

static void op_look(void) {
    static PyObject **stack;
    static size_t cap;
    size_t n = 0;
    int root;
    P.mark++;
    for (root = 0; root < MAX_VARS + 2; root++) {
        PyObject *o = root == 0 ? P.frame.owner : root == 1 ? P.frame.arg : P.vars[root - 2];
        PyObject *edges[8];
        for (;;) {
            uint32_t id = o ? id_of(o) : 0;
            if (id && entry_of(id)->mark != P.mark) {
                int i = edges_of(o, edges);
                entry_of(id)->mark = P.mark;
                emit(EV_SAW, 0, id, 0);
                if (n + 8 > cap) {
                    PyObject **grown = realloc(stack, (cap * 2 + 64) * sizeof *stack);
                    if (!grown) return;
                    stack = grown;
                    cap = cap * 2 + 64;
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

static int op_collect(int g) {
    PyObject *r;
    uint64_t before;
    long returned;
    if (g > 2) return 0;
    if (P.collecting) {
        emit(EV_REFUSED, 0, 0, 0);
        call0(P.gc_collect, P.gen_args[g]);
        return 1;
    }
    emit(EV_COLLECT_START, (uint32_t)g, 0, 0);
    snapshot();
    before = gc_uncollectable(g);
    P.collecting = 1;
    r = PyObject_Call(P.gc_collect, P.gen_args[g], NULL);
    P.collecting = 0;
    returned = r ? PyLong_AsLong(r) : -1;
    if (r) Py_DECREF(r);
    else PyErr_Clear();
    emit(EV_COLLECT_END, (uint32_t)g, (uint32_t)returned, gc_uncollectable(g) - before);
    snapshot();
    return 1;
}

static int op_call(const Op *op) {
    PyObject *callable = eval(&op->x), *r;
    if (!can_call(callable)) return 0;
    Py_INCREF(callable); /* as the interpreter's stack holds what it calls */
    P.calling = 1;
    r = PyObject_Call(callable, P.no_args, NULL);
    P.calling = 0;
    if (r) Py_DECREF(r);
    else PyErr_WriteUnraisable(callable);
    Py_DECREF(callable);
    return 1;
}

static int op_build(const Op *op, uint32_t origin) {
    PyObject **made, *last;
    uint32_t i, n = op->n;
    if (n == 0 || op->kind.shape != SHAPE_NODE) return 0;
    made = malloc(n * sizeof *made);
    if (!made) {
        events_give_up();
        return 1;
    }
    for (i = 0; i < n && !P.silent; i++) {
        made[i] = new_node(&op->kind, origin);
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
    store(&op->dst, last);
    return 1;
}

static int gc_list_op(PyObject *list, PyObject *add) {
    if (!list) return 0;
    if (add) return PyList_Append(list, add) == 0;
    if (PyList_GET_SIZE(list) == 0) return 0;
    PyList_SetSlice(list, 0, PyList_GET_SIZE(list), NULL);
    return 1;
}

static int op_repeat(const Op *op) {
    uint32_t i;
    if (P.frame.depth > 0) return 0;
    for (i = 0; i < op->a; i++) run_body(op->n + 1);
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
    case OP_DISABLE: call0(P.gc_disable, P.no_args); return 1;
    case OP_FREEZE:
    case OP_UNFREEZE:
        if (!P.gc_freeze) return 0;
        call0(op->code == OP_FREEZE ? P.gc_freeze : P.gc_unfreeze, P.no_args);
        return 1;
    case OP_SAVE_ALL: call0(P.gc_set_debug, op->a ? P.debug_on : P.debug_off); return 1;
    case OP_EMPTY_GARBAGE: return gc_list_op(P.garbage, NULL);
    case OP_ADD_GC_CALLBACK:
        o = eval(&op->x);
        return can_call(o) && gc_list_op(P.callbacks, o);
    case OP_EMPTY_GC_CALLBACKS: return gc_list_op(P.callbacks, NULL);
    case OP_TRACK: o = eval(&op->x); return o && is_node(o) && node_track(o);
    case OP_UNTRACK: o = eval(&op->x); return o && is_node(o) && node_untrack(o);
    case OP_REPEAT: return op_repeat(op);
    case OP_BUILD: return op_build(op, origin);
    default: return 0;
    }
}

/* Runs the operations of a body; 1 if it ended with an exception. */
static int run_body(uint32_t body) {
    uint32_t i, start = body == 0 || body >= P.n_bodies ? 0 : P.ends[body - 1];
    uint32_t end = body < P.n_bodies ? P.ends[body] : 0;
    for (i = start; i < end && !P.silent; i++) {
        int done;
        if (P.frame.depth > 0 && P.script_steps++ >= P.max_script_steps) break;
        if (body == 0) emit(EV_STEP, 0, i, 0);
        done = run_op(&P.ops[i]);
        if (done == 0) emit(EV_NO_EFFECT, 0, 0, 0);
        if (done == 2) return 1;
    }
    return 0;
}

int scenario_run(void) {
    P.silent = 0;
    P.script_steps = 0;
    P.frame.owner = P.frame.arg = NULL;
    P.frame.depth = 0;
    P.collecting = P.calling = 0;
    P.n_raised = 0;
    run_body(0);
    emit(EV_END, 0, 0, 0);
    snapshot();
    return events_overflowed() ? STATUS_OVERFLOW : STATUS_DONE;
}

/* Frees everything that the scenario left, unseen: no events, no scripts. */
void scenario_cleanup(void) {
    uint32_t id;
    int i;
    P.silent = 1;
    PyErr_Clear();
    gc_list_op(P.callbacks, NULL);
    call0(P.gc_set_debug, P.debug_off);
    for (i = 0; i < MAX_VARS; i++) Py_CLEAR(P.vars[i]);
    gc_list_op(P.garbage, NULL);
    for (id = 1; id <= P.n_entries; id++) {
        PyObject *o = entry_of(id)->object;
        if (!o) continue;
        Py_INCREF(o);
        for (i = 0; i < NODE_SLOTS; i++) {
            PyObject **slot = slot_of(o, (uint8_t)i);
            if (slot) Py_CLEAR(*slot);
        }
        Py_DECREF(o);
    }
    if (P.gc_unfreeze && gc_first(3)) call0(P.gc_unfreeze, P.no_args);
    call0(P.gc_collect, P.gen_args[2]);
}
