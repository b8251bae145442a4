// Repetition-aware sampling (VALL-E 2), a block a row: the nucleus, a draw from it, and, where that occurred too often of late, one from everything
// else. The same decisions and random numbers as RasSampler's on the host: equal logits give equal tokens.
// A lane keeps its logits in registers; only what seldom comes (a repetition, more equal numbers than a nucleus is chosen from) goes over them in
// shared memory.
// logits [rows, LOGITS]; a token goes to its place among those on the device (drawn) and in the host's memory: -1 where a logit is not finite.

#define HISTORY 32

struct Draw
{
    u32 seed_low, seed_high;
    int position;
    int forbidden_first, forbidden_last; // no ids: first beyond last
    int allowed;                         // one of them that may be drawn all the same, or -1
    int top_k;
    float top_p;
    float temperature;                   // 0: the most likely one, always; then top_k is 1
    int history_count;
    double repetition_limit;
    int place;                           // where the token goes
    int follows;                         // where the last of the history lies among the drawn; -1: it is given
    int history[HISTORY];
};

// A number in [0, 1) with 53 random bits: Philox4x32-10 (Salmon et al., 2011).
__device__ double uniform(const Draw& draw, u32 number)
{
    u32 c0 = (u32)draw.position, c1 = number, c2 = 0, c3 = 0, k0 = draw.seed_low, k1 = draw.seed_high;
    for (int round = 0; round < 10; round++)
    {
        u64 product0 = (u64)0xD2511F53u * c0, product1 = (u64)0xCD9E8D57u * c2;
        u32 n0 = (u32)(product1 >> 32) ^ c1 ^ k0, n2 = (u32)(product0 >> 32) ^ c3 ^ k1;
        c1 = (u32)product1, c3 = (u32)product0, c0 = n0, c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    u64 bits = ((u64)c1 << 32) | c0;
    return (double)(bits >> 11) * (1.0 / 9007199254740992.0);
}

__device__ double sum_of_block(double own, double* shared)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        own += __shfl_xor_sync(0xffffffffu, own, distance);
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = own;
    __syncthreads();
    double sum = shared[threadIdx.x % DRAW_WARPS];
#pragma unroll
    for (int distance = DRAW_WARPS / 2; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, distance);
    return sum;
}

// Probabilities of the logits, where the largest is `peak`.
__device__ void softmax(const float* logits, float* probabilities, float peak, double* shared)
{
    double own = 0;
    for (int id = threadIdx.x; id < LOGITS; id += THREADS)
    {
        float p = expf(logits[id] - peak);
        probabilities[id] = p;
        own += p;
    }
    float scale = (float)(1 / sum_of_block(own, shared));
    for (int id = threadIdx.x; id < LOGITS; id += THREADS)
        probabilities[id] *= scale;
    __syncthreads();
}

extern "C" __global__ void __launch_bounds__(THREADS) draw(const float* all, const Draw* draws, int* drawn_tokens, int* tokens)
{
    extern __shared__ float shared[];
    float* logits = shared;
    float* probabilities = shared + LOGITS;
    __shared__ Best bests[DRAW_WARPS], nucleus[MAX_TOP], candidates[CANDIDATES];
    __shared__ double doubles[DRAW_WARPS];
    __shared__ float groups[GROUPS], peaks[DRAW_WARPS], bound;
    __shared__ int token, found, last, candidate_count, faults[DRAW_WARPS];
    __shared__ bool again;
    release_next();
    const int row = blockIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const Draw& how = draws[row];
    const int limit = max(1, min(min(how.top_k, MAX_TOP), LOGITS)), history_count = how.history_count;
    const int forbidden_first = how.forbidden_first, forbidden_last = how.forbidden_last, allowed = how.allowed;
    const float top_p = how.top_p, temperature = how.temperature;
    const double repetition_limit = how.repetition_limit, random = uniform(how, 0);
    int past = lane < history_count ? how.history[lane] : -1;
    wait_for_previous();
    // A step before has written it, which all kernels of this one waited for.
    if (lane == history_count - 1 && how.follows >= 0)
        past = drawn_tokens[how.follows];

    const float* given = all + (size_t)row * LOGITS;
    float own[EACH];
    float peak = -INFINITY, fault = 0; // x - x is 0 for a finite number
#pragma unroll
    for (int i = 0; i < EACH; i++)
        own[i] = given[min((int)threadIdx.x + i * THREADS, LOGITS - 1)];
    if (temperature > 0 && temperature != 1)
#pragma unroll
        for (int i = 0; i < EACH; i++)
            own[i] /= temperature;
#pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        const int id = threadIdx.x + i * THREADS;
        fault += own[i] - own[i];
        if (id >= LOGITS || (id >= forbidden_first && id <= forbidden_last && id != allowed))
            own[i] = -INFINITY;
        peak = fmaxf(peak, own[i]);
    }
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        peak = fmaxf(peak, __shfl_xor_sync(0xffffffffu, peak, distance));
    const bool faulty = __any_sync(0xffffffffu, fault != 0);
    if (lane == 0)
    {
        peaks[warp] = peak;
        faults[warp] = faulty;
    }
    __syncthreads();
    peak = peaks[lane % DRAW_WARPS];
    if (__any_sync(0xffffffffu, faults[lane % DRAW_WARPS]))
    {
        if (threadIdx.x == 0)
            drawn_tokens[how.place] = tokens[how.place] = -1;
        return;
    }
#pragma unroll
    for (int distance = DRAW_WARPS / 2; distance > 0; distance /= 2)
        peak = fmaxf(peak, __shfl_xor_sync(0xffffffffu, peak, distance));

    float shares[EACH]; // probabilities
    double sum = 0;
#pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        shares[i] = expf(own[i] - peak);
        sum += shares[i];
    }
    const float scale = (float)(1 / sum_of_block(sum, doubles));
#pragma unroll
    for (int i = 0; i < EACH; i++)
        shares[i] *= scale;
    if (!select(shares, limit, groups, &bound, candidates, &candidate_count, nucleus))
    {
#pragma unroll
        for (int i = 0; i < EACH; i++)
            if (threadIdx.x + i * THREADS < LOGITS)
                probabilities[threadIdx.x + i * THREADS] = shares[i];
        __syncthreads();
        select_one_by_one(probabilities, limit, bests, nucleus);
    }
    __syncthreads();
    if (warp == 0)
    {
        const int drawn = draw_from(nucleus, limit, top_p, random);
        const int recent = __popc(__ballot_sync(0xffffffffu, lane < history_count && past == drawn));
        if (lane == 0)
        {
            token = drawn;
            again = recent >= repetition_limit;
            found = LOGITS;
            last = -1;
        }
    }
    __syncthreads();
    if (again)
    {
        const int drawn = token;
#pragma unroll
        for (int i = 0; i < EACH; i++)
        {
            const int id = threadIdx.x + i * THREADS;
            if (id < LOGITS)
                logits[id] = id == drawn ? -INFINITY : own[i];
        }
        __syncthreads();
        const Best best = best_of_block(own_best(logits), bests);
        if (best.value != -INFINITY && temperature == 0)
        {
            if (threadIdx.x == 0)
                token = best.id;
        }
        else if (best.value != -INFINITY) // else nothing else is allowed here
        {
            softmax(logits, probabilities, best.value, doubles);
            // Every lane takes a piece of the ids; the pieces' sums before it say where it is in the whole.
            constexpr int PIECE = (LOGITS + THREADS - 1) / THREADS;
            const int from = threadIdx.x * PIECE, to = min(LOGITS, from + PIECE);
            double piece = 0;
            for (int id = from; id < to; id++)
                piece += probabilities[id];
            double before = piece;
#pragma unroll
            for (int distance = 1; distance < 32; distance *= 2)
            {
                double other = __shfl_up_sync(0xffffffffu, before, distance);
                if (lane >= distance)
                    before += other;
            }
            if (lane == 31)
                doubles[warp] = before;
            __syncthreads();
            double whole = 0, passed = before - piece;
            for (int other = 0; other < DRAW_WARPS; other++)
            {
                if (other < warp)
                    passed += doubles[other];
                whole += doubles[other];
            }
            const double target = uniform(how, 1) * whole;
            for (int id = from; id < to; id++)
            {
                if (probabilities[id] <= 0)
                    continue;
                atomicMax(&last, id);
                passed += probabilities[id];
                if (passed > target)
                {
                    atomicMin(&found, id);
                    break;
                }
            }
            __syncthreads();
            if (threadIdx.x == 0)
                token = found < LOGITS ? found : last;
        }
    }
    if (threadIdx.x == 0)
        drawn_tokens[how.place] = tokens[how.place] = token;
}
