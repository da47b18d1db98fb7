/* The objects that struct lz_engine owns, but for its names and those in
 * arrays: for traversing and clearing. */
#ifndef LAZYCORE_ENGINE_OBJECTS_H
#define LAZYCORE_ENGINE_OBJECTS_H

#define ENGINE_OBJECTS(VISIT)                                                 \
    VISIT(engine->target_type)                                                \
    VISIT(engine->module_proxy_type)                                          \
    VISIT(engine->name_proxy_type)                                            \
    VISIT(engine->key_type)                                                   \
    VISIT(engine->namespace_type)                                             \
    VISIT(engine->from_type)                                                  \
    VISIT(engine->finder_type)                                                \
    VISIT(engine->set_type)                                                   \
    VISIT(engine->targets)                                                    \
    VISIT(engine->rebuild)                                                    \
    VISIT(engine->outer)                                                      \
    VISIT(engine->finder)                                                     \
    VISIT(engine->bootstrap)                                                  \
    VISIT(engine->bootstrap_find)                                             \
    VISIT(engine->load_unlocked)                                              \
    VISIT(engine->find_and_load_unlocked)                                     \
    VISIT(engine->find_and_load)                                              \
    VISIT(engine->binding_code)                                               \
    VISIT(engine->import_over)                                                \
    VISIT(engine->import)                                                     \
    VISIT(engine->saved_globals)                                              \
    VISIT(engine->saved_locals)                                               \
    VISIT(engine->saved_vars)                                                 \
    VISIT(engine->saved_dir)                                                  \
    VISIT(engine->saved_enter)                                                \
    VISIT(engine->lock_unlock_module)                                         \
    VISIT(engine->handler_type)                                               \
    VISIT(engine->signal)                                                     \
    VISIT(engine->getsignal)                                                  \
    VISIT(engine->fork)                                                       \
    VISIT(engine->forkpty)                                                    \
    VISIT(engine->saved_reload)                                               \
    VISIT(engine->builtin_importer)                                           \
    VISIT(engine->frozen_importer)                                            \
    VISIT(engine->path_finder)                                                \
    VISIT(engine->file_finder)                                                \
    VISIT(engine->spec_class)                                                 \
    VISIT(engine->is_builtin)                                                 \
    VISIT(engine->is_frozen)                                                  \
    VISIT(engine->find_specs)                                                 \
    VISIT(engine->builtin_names)                                              \
    VISIT(engine->frozen_names)                                               \
    VISIT(engine->plain_listings)                                             \
    VISIT(engine->sys_dict)                                                   \
    VISIT(engine->foreseen)                                                   \
    VISIT(engine->taken)                                                      \
    VISIT(engine->copiers)                                                    \
    VISIT(engine->walker)                                                     \
    VISIT(engine->filters)                                                    \
    VISIT(engine->view_type)                                                  \
    VISIT(engine->generations)                                                \
    VISIT(engine->getallocatedblocks)

#endif
