/* Places: which object a path names, what slots an object has, and stores into them. */
#include "probe.h"

const Kind *kind_of(PyObject *o) {
    uint32_t id = id_of(o);
    return id ? entry_of(id)->kind : NULL;
}

int shape_of(PyObject *o) {
    const Kind *kind = o ? kind_of(o) : NULL;
    return kind ? kind->shape : -1;
}

/* Where a slot lives, for the shapes that have plain pointers; NULL if there is no such slot. */
static PyObject **pointer(PyObject *o, int shape, uint32_t slot) {
    switch (shape) {
    case SHAPE_NODE:
    case SHAPE_TYPED: return slot < NODE_SLOTS ? &((Node *)o)->slot[slot] : NULL;
    case SHAPE_LIST: return PyList_Check(o) && slot < (size_t)PyList_GET_SIZE(o) ? &((PyListObject *)o)->ob_item[slot] : NULL;
    case SHAPE_TUPLE: return slot < (size_t)PyTuple_GET_SIZE(o) ? &((PyTupleObject *)o)->ob_item[slot] : NULL;
    case SHAPE_CELL: return slot == 0 ? &((PyCellObject *)o)->ob_ref : NULL;
    case SHAPE_FUNCTION: return slot < 3 ? function_slot(o, (int)slot) : NULL;
    case SHAPE_METHOD:
        return slot == 0 ? &((PyMethodObject *)o)->im_func : slot == 1 ? &((PyMethodObject *)o)->im_self : NULL;
    case SHAPE_SLOTTED: return slot < NODE_SLOTS ? slotted_slot(o, (int)slot) : NULL;
    case SHAPE_COMPOSED_FINALIZE: return slot < 2 ? slotted_slot(o, (int)slot) : NULL;
    case SHAPE_KEYED_REF: return slot == 0 ? keyed_slot(o) : NULL;
    default: return NULL;
    }
}

PyObject *slot_get(PyObject *o, uint32_t slot) {
    int shape = shape_of(o);
    PyObject **p;
    if (shape == SHAPE_DICT) return dict_get(o, slot);
    if (shape == SHAPE_INSTANCE) return slot < NODE_SLOTS ? instance_get(o, (int)slot) : NULL;
    p = pointer(o, shape, slot);
    return p ? *p : NULL;
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
    for (i = 0; o && i < steps; i++) o = slot_get(o, p->path[i]);
    return o;
}

PyObject *eval(const Place *p) { return walk(p, path_length(p)); }

/* ---- stores ----
 *
 * A store takes over the reference to `value`, which may be NULL, before it drops the old content. It returns 0 if
 * nothing happened: the reference is still the caller's then. */

void report_store(PyObject *holder, uint32_t slot, PyObject *value) {
    emit(EV_STORE_SLOT, slot, id_of(holder), value ? id_of(value) : 0);
}

static int replace(PyObject *holder, uint32_t slot, PyObject **p, PyObject *value) {
    PyObject *old = *p;
    if (!old && !value) return 0;
    *p = value;
    report_store(holder, slot, value);
    Py_XDECREF(old);
    return 1;
}

/* A dict drops the old content itself: it is held until the store has been reported. */
int dict_store(PyObject *d, uint32_t slot, PyObject *value) {
    PyObject *old = dict_get(d, slot);
    if (!old && !value) return 0;
    Py_XINCREF(old);
    if (dict_put(d, slot, value) < 0) {
        PyErr_Clear();
        events_give_up(GAVE_UP_ERROR);
    }
    Py_XDECREF(value);
    report_store(d, slot, value);
    Py_XDECREF(old);
    return 1;
}

static const Kind dict_kind = {SHAPE_DICT, 0, 0, 0, 0, 0, 0, FINALIZER_NONE, NO_SCRIPT, NO_SCRIPT, NO_SCRIPT};

static int instance_store(PyObject *o, uint32_t slot, PyObject *value) {
    PyObject **dict, *old, *made = NULL;
    if (slot >= NODE_SLOTS) return 0;
    old = instance_get(o, (int)slot);
    if (!old && !value) return 0;
    dict = instance_dict(o);
    if (dict && !*dict) {
#if HAS_PyObject_GenericGetDict
        if (P.ordered) {
            made = PyObject_GenericGetDict(o, NULL); /* as the first store makes it: with the keys of the class */
            Py_XDECREF(made);
        } else
#endif
            made = *dict = PyDict_New();
        if (!made) {
            events_give_up(GAVE_UP_ERROR);
            return 0;
        }
        add_object(made, &dict_kind, entry_of(id_of(o))->origin, ROLE_INSTANCE_DICT);
        report_store(o, 0, made);
    }
    Py_XINCREF(old);
    if (instance_put(o, (int)slot, value) < 0) {
        PyErr_Clear();
        events_give_up(GAVE_UP_ERROR);
    }
    Py_XDECREF(value);
    report_store(dict ? *dict : o, slot, value);
    Py_XDECREF(old);
    return 1;
}

static int list_store(PyObject *o, uint32_t slot, PyObject *value) {
    Py_ssize_t n = PyList_GET_SIZE(o);
    if (slot < (size_t)n) return replace(o, slot, &((PyListObject *)o)->ob_item[slot], value);
    if (!value || n >= MAX_ITEMS || PyList_Append(o, value) < 0) return 0;
    Py_DECREF(value);
    report_store(o, (uint32_t)n, value);
    return 1;
}

static int store_slot(PyObject *o, uint32_t slot, PyObject *value) {
    int shape = shape_of(o);
    PyObject **p;
    switch (shape) {
    case SHAPE_LIST: return list_store(o, slot, value);
    case SHAPE_DICT: return slot < MAX_ITEMS && dict_store(o, slot, value);
    case SHAPE_INSTANCE: return instance_store(o, slot, value);
    case SHAPE_FUNCTION:
        if (!(slot == 1 && (!value || shape_of(value) == SHAPE_TUPLE)) &&
            !(slot == 2 && value && shape_of(value) == SHAPE_DICT))
            return 0;
        break;
    case SHAPE_TUPLE:
    case SHAPE_METHOD:
    case SHAPE_COMPOSED_FINALIZE:
    case SHAPE_FINALIZE: return 0;
    case SHAPE_LIBRARY_VALUE_DICT:
    case SHAPE_LIBRARY_SET: return library_container_store(o, slot, value);
    case SHAPE_WEAK_VALUE_DICT:
    case SHAPE_WEAK_KEY_DICT:
    case SHAPE_WEAK_SET: return container_store(o, slot, value);
    default: break;
    }
    p = pointer(o, shape, slot);
    return p && replace(o, slot, p, value);
}

int store(const Place *dst, PyObject *value) {
    int n = path_length(dst);
    PyObject *holder;
    if (n > 0) {
        holder = walk(dst, n - 1);
        return holder && store_slot(holder, dst->path[n - 1], value);
    }
    if (dst->base == BASE_VAR && dst->var < MAX_VARS) {
        PyObject *old = P.vars[dst->var];
        if (!old && !value) return 0;
        P.vars[dst->var] = value;
        if (dst->var >= P.n_vars) P.n_vars = dst->var + 1u;
        emit(EV_STORE_VAR, dst->var, value ? id_of(value) : 0, 0);
        Py_XDECREF(old);
        return 1;
    }
    return 0;
}

/* ---- strong references ---- */

/* Writes the strong references of an object in slot order; `out` has room for MAX_EDGES. */
int edges_of(PyObject *o, PyObject **out) {
    int shape = shape_of(o), n = 0;
    uint32_t slot;
    if (shape == SHAPE_DICT && PySet_Check(o)) return library_set_edges(o, out);
    if (shape == SHAPE_DICT) {
        Py_ssize_t at = 0;
        PyObject *key, *value;
        while (n + 2 < MAX_EDGES && PyDict_Next(o, &at, &key, &value)) {
            if (id_of(key)) out[n++] = key;
            out[n++] = value;
        }
    } else if (is_library_container(shape)) {
        return library_container_edges(o, out);
    } else if (is_container_shape(shape)) {
        for (slot = 0; slot < 2; slot++)
            if (*slotted_slot(o, (int)slot)) out[n++] = *slotted_slot(o, (int)slot);
    } else if (shape == SHAPE_INSTANCE && instance_dict(o)) {
        if (*instance_dict(o)) out[n++] = *instance_dict(o);
    } else {
        for (slot = 0; slot < MAX_ITEMS; slot++) {
            PyObject *content = slot_get(o, slot);
            if (content) out[n++] = content;
            else if (slot >= NODE_SLOTS && shape != SHAPE_LIST) break;
        }
    }
    if (is_weak_shape(shape) && ((PyWeakReference *)o)->wr_callback) out[n++] = ((PyWeakReference *)o)->wr_callback;
    return n;
}

/* Empties an object, unseen. */
void empty(PyObject *o) {
    int shape = shape_of(o);
    uint32_t slot;
    if (shape == SHAPE_LIST) {
        if (PyList_Check(o)) PyList_SetSlice(o, 0, PyList_GET_SIZE(o), NULL);
    } else if (shape == SHAPE_DICT) {
        if (PyDict_Check(o)) PyDict_Clear(o);
        else PySet_Clear(o);
    } else if (shape != SHAPE_TUPLE && shape != SHAPE_METHOD && !is_library_container(shape)) {
        for (slot = 0; slot < NODE_SLOTS; slot++) {
            PyObject **p = pointer(o, shape, slot);
            if (is_container_shape(shape)) p = slotted_slot(o, (int)slot);
            if (p) Py_CLEAR(*p);
            else if (shape == SHAPE_INSTANCE && instance_get(o, (int)slot)) instance_put(o, (int)slot, NULL);
        }
    }
}
