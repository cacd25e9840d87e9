"""What a comparison found: `results.json` in the run's folder, and the evidence beside it.

Owns the layout of both. Must not know how a unit is computed, nor how any of this is shown.

`results.json`:

    schema        SCHEMA; a file of another one is refused
    corpus, preset, identity (hash of the configuration), command, labels (emotions in their order)
    folds         [{name, speakers: [..], utterances: [test utterances an emotion]}], in order
    seeds         [0, 1, 2]
    modes         name -> {about, synthesizer (or null), complete (no cell is missing), metrics, ..}; in the order of
                  the table. `macro_f1`, `uar`, `accuracy` are each {mean, std_over_folds, std_over_seeds (null where there
                  is one), low, high (95 %, over speakers and seeds), n (utterances), folds, seeds (how many)}, or null
                  where failures left no seed whole; `confusion` is counts [true][predicted] over folds and whole seeds;
                  `by_fold` is fold -> [macro F1 of each whole seed]; `whole_seeds` says which those are
    counts        mode -> seed (as text) -> fold -> speaker -> counts [true][predicted]
    paired        [{first, second, metric, difference, low, high, p_value, pairs, different}]: first minus second, on
                  the same folds and seeds
    gap_closed    mode -> {value, low, high, n}, in macro F1; null where the gap itself is not sure
    quality       mode, and the controls `copying` and `noise` -> {frechet, kernel, density, coverage, recognized:
                  each {mean, std_over_folds}, generated: samples a fold}. `recognized` is the macro F1 of the real
                  mode's recognizer on samples and the emotions they were asked for; null without the mode `real`.
                  Real patches are those that the synthesizer was fitted to, in the pre-trained encoder's space
    failures      [{unit, modes: [..], fold, seed, reason}]: `unit` names what failed, `modes` what it was needed for
    seconds       stage (tune, fit, train, score, quality) -> {seconds, units, cached}: of processor, as measured when
                  the unit was computed; and `wall`: of this command alone
    environment   {eyesoff, python, torch, system, processor, cores, workers, device}
    settings      the whole configuration but `runtime` and `campaign`, as plain data

`evidence/`, of the first fold and the first seed; arrays are safetensors, patches are fp16 in [-1, 1]:

    index.json               {schema, fold, seed, labels, scaling: {low, high}, features: {..}, curves: [{file, stage,
                             subject, fold, seed}], ledgers: [{file, session, seed}]}; `scaling` inverts to log-mels
    patches.safetensors      `real/<emotion>` and `<mode>/<emotion>`: [n, 128, 128]
    paired.safetensors       `<mode>`: [latents, emotions, 128, 128], one latent under every emotion
    embeddings.safetensors   `real`, `<mode>`: [n, d] fp32; `real/labels`, `<mode>/labels`: [n] int64
    curves/*.jsonl           rows {stage, step, <metric>: ..} of the tunings and trainings of that fold and seed
    ledgers/*.jsonl          the ledger of each federated client at that seed: what left it
"""
