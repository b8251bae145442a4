// A step of the flow's solver around an evaluation of its transformer. What differs from pass to pass is found through a record in device memory,
// which counts the steps itself: so evaluation and step are captured as one, and nothing else is launched between two steps. MEL: bands of the mel.

struct Solve
{
    const float* table;          // [steps, width] modulation; null: there is nothing to do
    const float* deltas;         // [steps] of the time
    const long long* places;     // [steps, rows columns]; null where there are no pages
    const long long* blocks;     // [rows, BLOCK_WORDS]
    float* x;                    // [frames, MEL] the noisy mel
    double guidance;             // strength of the guidance
    long long column;            // of `blocks`: BLOCK_AT or BLOCK_OWN
    long long step;              // that is computed next
    float conditional;           // what the step that is computed takes of each row's velocity
    float unconditional;
};

// Of a block of frames: its first frame among those of the pass, and among those that are computed together; how many frames it has, the first one's
// place in its utterance, keys that it sees, its utterance.
constexpr int BLOCK_AT = 0, BLOCK_OWN = 1, BLOCK_COUNT = 2, BLOCK_START = 3, BLOCK_SEEN = 4, BLOCK_OWNER = 5, BLOCK_WORDS = 6;

constexpr int STEP_THREADS = 256;

// The frame of `x` that a padded frame holds; -1 where it is padding.
__device__ __forceinline__ long long frame_of(const long long* blocks, int frame, int frames, int column)
{
    const long long* const block = blocks + (size_t)(frame / frames) * BLOCK_WORDS;
    return frame % frames < block[BLOCK_COUNT] ? block[column] + frame % frames : -1;
}

// Puts what stays the same in all steps where the evaluation finds it, zeros where frames are padding, and begins at a step. A block a padded frame.
// condition [*, DIM] and speakers [*, DIM] add up to the conditional row's constant [rows frames, DIM]; rotations [limit, HEAD_DIM] -> turns [rows
// frames, HEAD_DIM].
extern "C" __global__ void __launch_bounds__(STEP_THREADS) flow_load(Solve* solve, const float* table, const float* deltas, const long long* places,
    const long long* blocks, float* x, double guidance, int column, int step, const float* condition, const float* speakers, const float* rotations,
    int limit, float* constant, float* turns, long long* seen, float* mel, int frames)
{
    const int frame = blockIdx.x, within = frame % frames;
    const long long* const block = blocks + (size_t)(frame / frames) * BLOCK_WORDS;
    const bool is_there = within < block[BLOCK_COUNT];
    const float* const own = condition + (size_t)(block[BLOCK_OWN] + within) * DIM;
    const float* const speaker = speakers + (size_t)block[BLOCK_OWNER] * DIM;
    for (int at = threadIdx.x; at < DIM; at += STEP_THREADS)
        constant[(size_t)frame * DIM + at] = is_there ? own[at] + speaker[at] : 0;
    const long long position = block[BLOCK_START] + within < limit ? block[BLOCK_START] + within : limit - 1;
    for (int at = threadIdx.x; at < HEAD_DIM; at += STEP_THREADS)
        turns[(size_t)frame * HEAD_DIM + at] = rotations[(size_t)position * HEAD_DIM + at];
    for (int at = threadIdx.x; at < MEL; at += STEP_THREADS)
        mel[(size_t)frame * MEL + at] = 0;
    if (threadIdx.x > 0)
        return;
    if (within == 0)
        seen[frame / frames] = block[BLOCK_SEEN];
    if (frame == 0)
        *solve = Solve { table, deltas, places, blocks, x, guidance, column, step, 0, 0 };
}

// Before an evaluation: the step's modulation [width], width a multiple of 4, its places, and the mel's frames.
extern "C" __global__ void __launch_bounds__(STEP_THREADS) flow_begin_step(Solve* solve, float4* modulation, int width, long long* places, int columns,
    float* mel, int rows, int frames)
{
    const int first = blockIdx.x * STEP_THREADS + threadIdx.x, stride = gridDim.x * STEP_THREADS;
    release_next();
    const Solve now = *solve;
    if (now.table == nullptr)
        return;
    const float4* const row = (const float4*)(now.table + (size_t)now.step * width);
    for (int at = first; at < width / 4; at += stride)
        modulation[at] = row[at];
    if (now.places != nullptr)
        for (int at = first; at < rows * columns; at += stride)
            places[at] = now.places[(size_t)now.step * rows * columns + at];
    for (int at = first; at < rows * frames * MEL; at += stride)
    {
        const long long frame = frame_of(now.blocks, at / MEL, frames, (int)now.column);
        if (frame >= 0)
            mel[at] = now.x[(size_t)frame * MEL + at % MEL];
    }
    if (first > 0)
        return;
    const double delta = now.deltas[now.step];
    solve->conditional = (float)(delta * (1 + now.guidance)); // nobody reads these two here
    solve->unconditional = (float)(-delta * now.guidance);
}

// Behind it: velocity [2, rows frames, MEL], the conditional row first; x goes a step on.
extern "C" __global__ void __launch_bounds__(STEP_THREADS) flow_end_step(Solve* solve, const float* velocity, int rows, int frames)
{
    wait_for_previous();
    const Solve now = *solve;
    if (now.table == nullptr)
        return;
    const int first = blockIdx.x * STEP_THREADS + threadIdx.x, count = rows * frames * MEL;
    for (int at = first; at < count; at += gridDim.x * STEP_THREADS)
    {
        const long long frame = frame_of(now.blocks, at / MEL, frames, (int)now.column);
        if (frame < 0)
            continue;
        float* const x = now.x + (size_t)frame * MEL + at % MEL;
        *x = *x + now.conditional * velocity[at] + now.unconditional * velocity[(size_t)count + at];
    }
    if (first == 0)
        solve->step = now.step + 1; // nobody uses it here
}
