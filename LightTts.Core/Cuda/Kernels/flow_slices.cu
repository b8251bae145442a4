// Matrix products of the flow's transformer for few rows, with what stands around them (flow_products.cu says how norm and modulation are taken
// apart), by clusters of blocks. What a product of few rows waits for is not memory but what a processor gets from the second-level cache, as every
// block reads the rows; so the blocks of a cluster share the inputs out instead of the outputs: each reads its slice of the rows, which lies in
// shared memory as a whole, multiplies it by its slice of the cluster's weights, and adds up an equal part of all blocks' sums for its share of the
// rows.

#if BF16 && HEAD_DIM == 64 && __CUDA_ARCH__ >= 900

constexpr int SLICE_ROWS = 128; // of a cluster at the most
constexpr int SLICE_THREADS = 256;

// What lies in another block's shared memory where `own` points to in this one's.
__device__ __forceinline__ float4 load_remote(const float4* own, u32 rank)
{
    u32 address;
    float4 v;
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"((u32)__cvta_generic_to_shared(own)), "r"(rank));
    asm volatile("ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "r"(address) : "memory");
    return v;
}

// The rows of a cluster, [first, first + count), and of a block of it, [own, own + each) of those, of which the last may be missing.
template <int CLUSTER>
struct RowShare
{
    static constexpr int MOST = SLICE_ROWS / CLUSTER;
    int first, count, own, each;

    __device__ __forceinline__ RowShare(int all, int rank)
    {
        const int most = (all + gridDim.y - 1) / gridDim.y;
        first = blockIdx.y * most;
        count = min(most, all - first);
        each = (count + CLUSTER - 1) / CLUSTER;
        own = rank * each;
    }

    // A row of the block's, or the cluster's last.
    __device__ __forceinline__ int at(int i) const { return min(own + i, count - 1); }
    __device__ __forceinline__ bool has(int i) const { return i < each && own + i < count; }
};

// A cluster's product of up to SLICE_ROWS rows and OUTPUTS outputs. Shared memory: the weights' slice [OUTPUTS, PITCH], the rows' [rows, PITCH]; then
// the sums [rows, SUMS]. The pitches let 8 rows' numbers lie in different banks. A warp takes 32 rows and half of the outputs.
template <int INPUTS, int OUTPUTS_, int CLUSTER_>
struct Slices
{
    static constexpr int OUTPUTS = OUTPUTS_, CLUSTER = CLUSTER_;
    static constexpr int SLICE = INPUTS / CLUSTER, PITCH = SLICE + 8, SUMS = OUTPUTS + 8, TILES = OUTPUTS / 16;
    static constexpr int STAGE = SLICE % 64 == 0 ? 64 : 32, STAGES = SLICE / STAGE; // numbers of a row that are waited for together
    static constexpr int QUADS = OUTPUTS / 4, PASSES = (SLICE_ROWS / CLUSTER * QUADS + SLICE_THREADS - 1) / SLICE_THREADS;

    static __device__ __forceinline__ uint4* begin(uint4* shared) { return shared; }

    // Before the wait: weight [OUTPUTS, INPUTS], the cluster's.
    static __device__ __forceinline__ void fetch_weights(uint4* shared, const element* weight, int, int rank)
    {
        constexpr int PIECES = SLICE / 8;
        for (int i = threadIdx.x; i < OUTPUTS * PIECES; i += SLICE_THREADS)
            copy_async((element*)shared + i / PIECES * PITCH + i % PIECES * 8,
                weight + (size_t)(i / PIECES) * INPUTS + rank * SLICE + i % PIECES * 8);
        commit_copies();
    }

    // After it: x [*, INPUTS] from the cluster's first row on.
    static __device__ __forceinline__ void fetch_rows(uint4* shared, const element* x, int rows, int rank)
    {
        constexpr int PIECES = STAGE / 8;
        element* const tile = (element*)shared + OUTPUTS * PITCH;
#pragma unroll
        for (int stage = 0; stage < STAGES; stage++)
        {
#pragma unroll
            for (int i = 0; i < SLICE_ROWS * PIECES / SLICE_THREADS; i++)
            {
                const int item = threadIdx.x + i * SLICE_THREADS, row = item / PIECES, at = stage * STAGE + item % PIECES * 8;
                if (row < rows)
                    copy_async(tile + row * PITCH + at, x + (size_t)row * INPUTS + rank * SLICE + at);
            }
            commit_copies();
        }
    }

    // This slice's sums to shared memory, and those of the others to theirs. `meanwhile` goes before the sums are put together.
    template <typename Meanwhile>
    static __device__ __forceinline__ void multiply(uint4* shared, int rows, Meanwhile meanwhile)
    {
        const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, first = warp % 4 * 32, output = warp / 4 * (OUTPUTS / 2);
        const element* const tile = (const element*)shared + OUTPUTS * PITCH;
        const element* a[2]; // of rows that are not there the last one, whose sums nobody reads
#pragma unroll
        for (int m = 0; m < 2; m++)
            a[m] = tile + min(first + m * 16 + lane % 16, rows - 1) * PITCH + lane / 16 * 8;
        const element* const b = (const element*)shared + (output + lane % 8) * PITCH + lane / 8 * 8;
        float sums[2][TILES][4] = {};
#pragma unroll
        for (int stage = 0; stage < STAGES; stage++)
        {
            wait_for_stage<STAGES>(stage);
            __syncthreads();
            if (first < rows)
#pragma unroll
                for (int at = stage * STAGE; at < (stage + 1) * STAGE; at += 32)
                {
                    u32 x[2][2][4];
#pragma unroll
                    for (int m = 0; m < 2; m++)
#pragma unroll
                        for (int half = 0; half < 2; half++)
                            load_matrices(x[m][half], a[m] + at + half * 16);
#pragma unroll
                    for (int n = 0; n < TILES; n++)
                    {
                        u32 w[4];
                        load_matrices(w, b + n * 8 * PITCH + at);
#pragma unroll
                        for (int half = 0; half < 2; half++)
#pragma unroll
                            for (int m = 0; m < 2; m++)
                                multiply_add(sums[m][n], x[m][half][0], x[m][half][1], x[m][half][2], x[m][half][3], w[2 * half], w[2 * half + 1]);
                    }
                }
        }
        __syncthreads(); // nobody reads rows and weights
        meanwhile();
        float* const to = (float*)shared + (first + lane / 4) * SUMS + output + lane % 4 * 2;
#pragma unroll
        for (int m = 0; m < 2; m++)
#pragma unroll
            for (int half = 0; half < 2; half++)
                if (first + m * 16 + half * 8 + lane / 4 < rows)
#pragma unroll
                    for (int n = 0; n < TILES; n++)
                        *(float2*)(to + (m * 16 + half * 8) * SUMS + n * 8) = make_float2(sums[m][n][2 * half], sums[m][n][2 * half + 1]);
        cluster_sync();
    }

    // Where a thread's numbers of a pass lie: four outputs of a row of the block's share.
    static __device__ __forceinline__ int row(int pass) { return ((int)threadIdx.x + pass * SLICE_THREADS) / QUADS; }
    static __device__ __forceinline__ int output(int pass) { return ((int)threadIdx.x + pass * SLICE_THREADS) % QUADS * 4; }

    // All blocks' sums, in the same order in each of them.
    static __device__ __forceinline__ float4 gather(const uint4* shared, int row, int output)
    {
        float4 sum = make_float4(0, 0, 0, 0);
#pragma unroll
        for (int rank = 0; rank < CLUSTER; rank++)
        {
            const float4 part = load_remote((const float4*)((const float*)shared + row * SUMS + output), rank);
            sum.x += part.x;
            sum.y += part.y;
            sum.z += part.z;
            sum.w += part.w;
        }
        return sum;
    }

    // The rows' stages are the last copies.
    template <int ALL>
    static __device__ __forceinline__ void wait_for_stage(int stage)
    {
        switch (ALL - 1 - stage)
        {
        case 0: wait_copies<0>(); break;
        case 1: wait_copies<1>(); break;
        case 2: wait_copies<2>(); break;
        default: wait_copies<3>(); break; // or earlier than need be
        }
    }
};

// What follows the products, four numbers of a row at a time.

// As Projection of flow_products.cu.
struct SlicedProjection
{
    const float* slope;
    const float* offset;
    const float* turns;
    const long long* places;
    int columns;
    element* qkv;
    element* pages;

    // Where a row's keys and values go.
    __device__ __forceinline__ element* row(int row, int count) const
    {
        if (pages == nullptr)
            return qkv + (size_t)row * (3 * DIM) + DIM;
        const int frames = count / 2, frame = row % frames;
        const size_t place = places[(size_t)(frame / FRAMES) * columns + columns - 1] + row / frames * FRAMES + frame % FRAMES;
        return pages + place * (2 * DIM);
    }

    // Cosine and sine of two pairs.
    __device__ __forceinline__ float4 prepare(int row, int output, int count) const
    {
        const int within = output % DIM;
        return output < 2 * DIM && within < HEAD_DIM ? *(const float4*)(turns + (size_t)(row % (count / 2)) * HEAD_DIM + within)
            : make_float4(1, 0, 1, 0);
    }

    __device__ __forceinline__ void finish(int row, element* kept, int output, float4 turn, float4 y) const
    {
        if (output < 2 * DIM && output % DIM < HEAD_DIM)
        {
            // In the precision in which they would lie between two kernels.
            const float y0 = widen(to_bf16(y.x)), y1 = widen(to_bf16(y.y)), y2 = widen(to_bf16(y.z)), y3 = widen(to_bf16(y.w));
            y = make_float4(y0 * turn.x - y1 * turn.y, y0 * turn.y + y1 * turn.x, y2 * turn.z - y3 * turn.w, y2 * turn.w + y3 * turn.z);
        }
        *(uint2*)(output >= DIM ? kept + output - DIM : qkv + (size_t)row * (3 * DIM) + output) =
            make_uint2(narrow_pair(y.x, y.y), narrow_pair(y.z, y.w));
    }
};

// GELU -> y [count, HIDDEN].
struct SlicedActivation
{
    const float* slope;
    const float* offset;
    element* y;

    __device__ __forceinline__ element* row(int row, int) const { return y + (size_t)row * HIDDEN; }
    __device__ __forceinline__ float4 prepare(int, int, int) const { return make_float4(0, 0, 0, 0); }

    __device__ __forceinline__ void finish(int, element* to, int output, float4, float4 y) const
    {
        *(uint2*)(to + output) = make_uint2(narrow_pair(Activation::gelu(y.x), Activation::gelu(y.y)),
            narrow_pair(Activation::gelu(y.z), Activation::gelu(y.w)));
    }
};

// The norm's product: x [count, DIM] scaled, moments [count, SLOTS], weight [*, DIM].
template <typename Product, typename Finish>
__device__ __forceinline__ void normed_slices(const element* x, const float2* moments, const element* weight, int count, float epsilon,
    const Finish& finish)
{
    constexpr int OUTPUTS = Product::OUTPUTS, CLUSTER = Product::CLUSTER;
    using Share = RowShare<CLUSTER>;
    extern __shared__ uint4 dynamic[];
    uint4* const shared = Product::begin(dynamic);
    __shared__ float2 of_rows[Share::MOST];
    __shared__ element* to[Share::MOST];
    __shared__ __align__(16) float slope[OUTPUTS];
    __shared__ __align__(16) float offset[OUTPUTS];
    const int rank = cluster_rank(), output = blockIdx.x / CLUSTER * OUTPUTS;
    const Share rows(count, rank);
    release_next();
    Product::fetch_weights(shared, weight + (size_t)output * DIM, rows.count, rank);
    for (int i = threadIdx.x; i < Share::MOST; i += SLICE_THREADS)
        to[i] = finish.row(rows.first + rows.at(i), count);
    for (int i = threadIdx.x; i < OUTPUTS; i += SLICE_THREADS)
    {
        slope[i] = finish.slope[output + i];
        offset[i] = finish.offset[output + i];
    }
    wait_for_previous();
    Product::fetch_rows(shared, x + (size_t)rows.first * DIM, rows.count, rank);
    share_moments<Share::MOST, SLICE_THREADS>(of_rows, moments, rows.first + rows.own, rows.first + rows.count, epsilon);
    float4 prepared[Product::PASSES], sums[Product::PASSES];
    Product::multiply(shared, rows.count, [&]
    {
#pragma unroll
        for (int pass = 0; pass < Product::PASSES; pass++)
            prepared[pass] = finish.prepare(rows.first + rows.at(Product::row(pass)), output + Product::output(pass), count);
    });
#pragma unroll
    for (int pass = 0; pass < Product::PASSES; pass++)
        sums[pass] = Product::gather(shared, rows.at(Product::row(pass)), Product::output(pass));
    cluster_arrive();
#pragma unroll
    for (int pass = 0; pass < Product::PASSES; pass++)
    {
        const int row = Product::row(pass), within = Product::output(pass);
        if (!rows.has(row))
            continue;
        const float2 moment = of_rows[row];
        const float4 tilt = *(const float4*)(slope + within), lift = *(const float4*)(offset + within), sum = sums[pass];
        finish.finish(rows.first + rows.own + row, to[row], output + within, prepared[pass],
            make_float4((sum.x - moment.x * tilt.x) * moment.y + lift.x, (sum.y - moment.x * tilt.y) * moment.y + lift.y,
                (sum.z - moment.x * tilt.z) * moment.y + lift.z, (sum.w - moment.x * tilt.w) * moment.y + lift.w));
    }
    cluster_wait(); // the others may still read this block's sums
}

// The moments of a slot, of which 8 lanes side by side have four numbers each.
__device__ __forceinline__ float2 moments_of_quads(float4 x)
{
    float sum = (x.x + x.y) + (x.z + x.w);
#pragma unroll
    for (int distance = 4; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, distance);
    const float mean = sum / SLOT, x0 = x.x - mean, x1 = x.y - mean, x2 = x.z - mean, x3 = x.w - mean;
    float squares = (x0 * x0 + x1 * x1) + (x2 * x2 + x3 * x3);
#pragma unroll
    for (int distance = 4; distance > 0; distance /= 2)
        squares += __shfl_xor_sync(0xffffffffu, squares, distance);
    return make_float2(sum, squares);
}

// h [count, DIM] += gate * (x Wᵀ + bias) for x [count, INPUTS]; then scaled = h * scale and the moments of h.
template <typename Product>
__device__ __forceinline__ void added_slices(const element* x, const element* weight, const element* bias, const float* gate, const float* scale,
    float* h, element* scaled, float2* moments, int count)
{
    constexpr int INPUTS = Product::SLICE * Product::CLUSTER;
    extern __shared__ uint4 dynamic[];
    uint4* const shared = Product::begin(dynamic);
    const int rank = cluster_rank(), output = blockIdx.x / Product::CLUSTER * Product::OUTPUTS, own = output + Product::output(0);
    static_assert(SLICE_THREADS % Product::QUADS == 0, "a thread's outputs are the same in each pass");
    const RowShare<Product::CLUSTER> rows(count, rank);
    release_next();
    Product::fetch_weights(shared, weight + (size_t)output * INPUTS, rows.count, rank);
    const float4 gates = *(const float4*)(gate + own), scales = *(const float4*)(scale + own);
    const uint2 biases = *(const uint2*)(bias + own);
    wait_for_previous();
    Product::fetch_rows(shared, x + (size_t)rows.first * INPUTS, rows.count, rank);
    float4 before[Product::PASSES];
#pragma unroll
    for (int pass = 0; pass < Product::PASSES; pass++)
        before[pass] = *(const float4*)(h + (size_t)(rows.first + rows.at(Product::row(pass))) * DIM + own);
    Product::multiply(shared, rows.count, [] { });
    float4 sums[Product::PASSES];
#pragma unroll
    for (int pass = 0; pass < Product::PASSES; pass++)
        sums[pass] = Product::gather(shared, rows.at(Product::row(pass)), Product::output(0));
    cluster_arrive();
#pragma unroll
    for (int pass = 0; pass < Product::PASSES; pass++)
    {
        const float4 sum = sums[pass], old = before[pass];
        const float4 y = make_float4(old.x + (sum.x + lower(biases.x)) * gates.x, old.y + (sum.y + upper(biases.x)) * gates.y,
            old.z + (sum.z + lower(biases.y)) * gates.z, old.w + (sum.w + upper(biases.y)) * gates.w);
        const float2 slot = moments_of_quads(y);
        if (!rows.has(Product::row(pass)))
            continue;
        const size_t row = rows.first + rows.own + Product::row(pass);
        *(float4*)(h + row * DIM + own) = y;
        *(uint2*)(scaled + row * DIM + own) = make_uint2(narrow_pair(y.x * scales.x, y.y * scales.y), narrow_pair(y.z * scales.z, y.w * scales.w));
        if (own % SLOT == 0)
            moments[row * SLOTS + own / SLOT] = slot;
    }
    cluster_wait(); // the others may still read this block's sums
}

#define CLUSTER_OF(BLOCKS) __cluster_dims__(BLOCKS, 1, 1) __launch_bounds__(SLICE_THREADS, 2)

extern "C" __global__ void CLUSTER_OF(4) flow_project_4(const element* x, const float2* moments, const element* weight, const float* slope,
    const float* offset, const float* turns, const long long* places, int columns, element* qkv, element* pages, int count, float epsilon)
{
    normed_slices<Slices<DIM, 96, 4>>(x, moments, weight, count, epsilon, SlicedProjection { slope, offset, turns, places, columns, qkv, pages });
}

extern "C" __global__ void CLUSTER_OF(4) flow_up_4(const element* x, const float2* moments, const element* weight, const float* slope,
    const float* offset, element* y, int count, float epsilon)
{
    normed_slices<Slices<DIM, 64, 4>>(x, moments, weight, count, epsilon, SlicedActivation { slope, offset, y });
}

extern "C" __global__ void __cluster_dims__(2, 1, 1) __launch_bounds__(SLICE_THREADS) flow_project_2(const element* x, const float2* moments,
    const element* weight, const float* slope, const float* offset, const float* turns, const long long* places, int columns, element* qkv,
    element* pages, int count, float epsilon)
{
    normed_slices<Slices<DIM, 48, 2>>(x, moments, weight, count, epsilon, SlicedProjection { slope, offset, turns, places, columns, qkv, pages });
}

extern "C" __global__ void __cluster_dims__(2, 1, 1) __launch_bounds__(SLICE_THREADS) flow_up_2(const element* x, const float2* moments,
    const element* weight, const float* slope, const float* offset, element* y, int count, float epsilon)
{
    normed_slices<Slices<DIM, 32, 2>>(x, moments, weight, count, epsilon, SlicedActivation { slope, offset, y });
}

#define ADD_SLICES(NAME, INPUTS, OUTPUTS, BLOCKS) \
    extern "C" __global__ void CLUSTER_OF(BLOCKS) flow_##NAME##_##BLOCKS(const element* x, const element* weight, const element* bias, \
        const float* gate, const float* scale, float* h, element* scaled, float2* moments, int count) \
    { \
        added_slices<Slices<INPUTS, OUTPUTS, BLOCKS>>(x, weight, bias, gate, scale, h, scaled, moments, count); \
    }

ADD_SLICES(out, DIM, 32, 4)
ADD_SLICES(out, DIM, 64, 8)
ADD_SLICES(down, HIDDEN, 64, 8)

#endif
