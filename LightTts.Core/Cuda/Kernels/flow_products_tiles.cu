// The products of flow_products.cu on cards whose groups of 4 warps multiply what lies in shared memory (flow_tiled_rows.cuh). The weights come before
// the kernel before has ended, rows and the rest of the weights in rings of stages.

#if BF16 && HEAD_DIM == 64 && HAS_GROUPS

// By the helpers but the first warp: mean and 1 / deviation of the block's rows.
template <typename Product>
__device__ __forceinline__ void moments_of_rows(float2* of_rows, const float2* moments, int first, int rows, float epsilon)
{
    constexpr int LANES = SLOTS < 16 ? SLOTS / 2 : 8, EACH = SLOTS / LANES / 2; // of two slots
    constexpr int TOGETHER = 32 / LANES;                                                           // rows of a warp
#pragma unroll 1
    for (int row = (threadIdx.x - Product::HELPER - 32) / LANES; row < (rows + TOGETHER - 1) / TOGETHER * TOGETHER;
        row += (Product::HELPERS - 32) / LANES)
    {
        const float4* const own = (const float4*)(moments + (size_t)(first + min(row, rows - 1)) * SLOTS) + threadIdx.x % LANES;
        float4 slots[EACH];
        float sum = 0, squares = 0;
#pragma unroll
        for (int i = 0; i < EACH; i++)
            slots[i] = load_here(own + i * LANES);
#pragma unroll
        for (int i = 0; i < EACH; i++)
            sum += slots[i].x + slots[i].z;
#pragma unroll
        for (int distance = LANES / 2; distance > 0; distance /= 2)
            sum += __shfl_xor_sync(0xffffffffu, sum, distance);
        const float mean = sum / DIM;
#pragma unroll
        for (int i = 0; i < EACH; i++)
        {
            const float a = slots[i].x / SLOT - mean, b = slots[i].z / SLOT - mean;
            squares += slots[i].y + slots[i].w + SLOT * (a * a + b * b);
        }
#pragma unroll
        for (int distance = LANES / 2; distance > 0; distance /= 2)
            squares += __shfl_xor_sync(0xffffffffu, squares, distance);
        if (threadIdx.x % LANES == 0 && row < rows)
            of_rows[row] = make_float2(mean, rsqrtf(squares / DIM + epsilon));
    }
}

// What follows the products (Projection, Activation), eight outputs of a row at a time.
struct TiledProjection
{
    Projection is;

    __device__ __forceinline__ bool turns(int output) const { return output < 2 * DIM && output % DIM < HEAD_DIM; }

    __device__ __forceinline__ const float* turn(int row, int output, int count) const
    {
        return is.turns + (size_t)(row % (count / 2)) * HEAD_DIM + output % DIM;
    }

    __device__ __forceinline__ element* place(int row, element* kept, int output) const
    {
        return output >= DIM ? kept + output - DIM : is.qkv + (size_t)row * (3 * DIM) + output;
    }

    static __device__ __forceinline__ float change(float x) { return x; }
};

struct TiledActivation
{
    Activation is;

    __device__ __forceinline__ bool turns(int) const { return false; }
    __device__ __forceinline__ const float* turn(int, int, int) const { return nullptr; }
    __device__ __forceinline__ element* place(int, element* own, int output) const { return own + output; }
    static __device__ __forceinline__ float change(float x) { return Activation::gelu(x); }
};

// The norm's product: moments [count, SLOTS]. Row blocks are the grid's x, so that neighbours ask for the same weights.
template <typename Product, typename Finish>
__device__ __forceinline__ void normed_tiles(const TensorMap& x, const TensorMap& weight, const float2* moments, int count, int each, float epsilon,
    const Finish& finish)
{
    constexpr int OUTPUTS = Product::OUTPUTS, PARTS = OUTPUTS / 8, EACH = (Product::ROWS * PARTS + Product::THREADS - 1) / Product::THREADS;
    extern __shared__ uint4 shared[];
    __shared__ typename Product::Barriers barriers;
    __shared__ float2 of_rows[Product::ROWS];
    __shared__ element* to[Product::ROWS];
    __shared__ __align__(16) float slope[OUTPUTS];
    __shared__ __align__(16) float offset[OUTPUTS];
    const int output = blockIdx.y * OUTPUTS, first = blockIdx.x * each, rows = min(each, count - first);
    const Product product(x, weight, barriers, shared, each, first, output);
    release_next();
    product.begin();
    if (threadIdx.x < Product::ROWS)
        to[threadIdx.x] = finish.is.row(min(first + (int)threadIdx.x, count - 1), count);
    else if (threadIdx.x < Product::ROWS + OUTPUTS)
    {
        slope[threadIdx.x - Product::ROWS] = finish.is.slope[output + threadIdx.x - Product::ROWS];
        offset[threadIdx.x - Product::ROWS] = finish.is.offset[output + threadIdx.x - Product::ROWS];
    }
    float4 turns[EACH][2];
    if (finish.turns(output) || finish.turns(output + OUTPUTS - 8))
#pragma unroll
        for (int i = 0; i < EACH; i++)
        {
            const int item = threadIdx.x + i * Product::THREADS, row = item / PARTS, own = output + item % PARTS * 8;
            if (row >= rows || !finish.turns(own))
                continue;
            const float4* const turn = (const float4*)finish.turn(first + row, own, count);
            turns[i][0] = __ldg(turn);
            turns[i][1] = __ldg(turn + 1);
        }
    wait_for_previous();
    float sums[OUTPUTS / 8][4] = {};
    if (threadIdx.x < Product::HELPER)
        product.multiply(sums);
    else if (threadIdx.x >= Product::HELPER + 32)
        moments_of_rows<Product>(of_rows, moments, first, rows, epsilon);
    else if (threadIdx.x == Product::HELPER)
        product.fetch();
    product.share(sums);
#pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        const int item = threadIdx.x + i * Product::THREADS, row = item / PARTS, within = item % PARTS * 8;
        if (row >= rows)
            break;
        const float2 moment = of_rows[row];
        float y[8];
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            const float4 sum = product.sum(row, within + half * 4);
            const float4 tilt = *(const float4*)(slope + within + half * 4), lift = *(const float4*)(offset + within + half * 4);
            float* const own = y + half * 4;
            own[0] = (sum.x - moment.x * tilt.x) * moment.y + lift.x;
            own[1] = (sum.y - moment.x * tilt.y) * moment.y + lift.y;
            own[2] = (sum.z - moment.x * tilt.z) * moment.y + lift.z;
            own[3] = (sum.w - moment.x * tilt.w) * moment.y + lift.w;
        }
        if (finish.turns(output + within))
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                const float4 turn = turns[i][half];
                float* const own = y + half * 4;
                // In the precision in which they would lie between two kernels.
                const float u0 = widen(to_bf16(own[0])), u1 = widen(to_bf16(own[1])), u2 = widen(to_bf16(own[2])), u3 = widen(to_bf16(own[3]));
                own[0] = u0 * turn.x - u1 * turn.y;
                own[1] = u0 * turn.y + u1 * turn.x;
                own[2] = u2 * turn.z - u3 * turn.w;
                own[3] = u2 * turn.w + u3 * turn.z;
            }
#pragma unroll
        for (int k = 0; k < 8; k++)
            y[k] = Finish::change(y[k]);
        *(uint4*)finish.place(first + row, to[row], output + within) = make_uint4(narrow_pair(y[0], y[1]), narrow_pair(y[2], y[3]),
            narrow_pair(y[4], y[5]), narrow_pair(y[6], y[7]));
    }
}

// As added_product.
template <typename Product>
__device__ __forceinline__ void added_tiles(const TensorMap& x, const TensorMap& weight, const element* bias, const float* gate, const float* scale,
    float* h, element* scaled, float2* moments, int count, int each)
{
    constexpr int LANES = SLOT / 4, EACH = Product::ROWS * LANES / Product::HELPER; // four numbers of a row
    static_assert(Product::OUTPUTS == SLOT, "a slot is a block's outputs");
    extern __shared__ uint4 shared[];
    __shared__ typename Product::Barriers barriers;
    const int output = blockIdx.y * SLOT, first = blockIdx.x * each, rows = min(each, count - first);
    const Product product(x, weight, barriers, shared, each, first, output);
    release_next();
    product.begin();
    const int within = threadIdx.x % LANES * 4;
    const float4 gates = *(const float4*)(gate + output + within), scales = *(const float4*)(scale + output + within);
    const uint2 biases = *(const uint2*)(bias + output + within);
    wait_for_previous();
    float4 before[EACH];
    float sums[SLOT / 8][4] = {};
    if (threadIdx.x < Product::HELPER)
    {
#pragma unroll
        for (int i = 0; i < EACH; i++)
        {
            const int row = min(first + (int)threadIdx.x / LANES + i * (Product::HELPER / LANES), count - 1);
            before[i] = load_here((const float4*)(h + (size_t)row * DIM + output + within));
        }
        product.multiply(sums);
    }
    else if (threadIdx.x == Product::HELPER)
        product.fetch();
    product.share(sums);
    if (threadIdx.x >= Product::HELPER)
        return;
#pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        const int row = threadIdx.x / LANES + i * (Product::HELPER / LANES);
        const float4 y = product.sum(row, within);
        float4 now = before[i];
        now.x += (y.x + lower(biases.x)) * gates.x;
        now.y += (y.y + upper(biases.x)) * gates.y;
        now.z += (y.z + lower(biases.y)) * gates.z;
        now.w += (y.w + upper(biases.y)) * gates.w;
        float sum = now.x + now.y + now.z + now.w;
#pragma unroll
        for (int distance = 1; distance < LANES; distance *= 2)
            sum += __shfl_xor_sync(0xffffffffu, sum, distance);
        const float mean = sum / SLOT;
        float squares = (now.x - mean) * (now.x - mean) + (now.y - mean) * (now.y - mean) + (now.z - mean) * (now.z - mean)
            + (now.w - mean) * (now.w - mean);
#pragma unroll
        for (int distance = 1; distance < LANES; distance *= 2)
            squares += __shfl_xor_sync(0xffffffffu, squares, distance);
        if (row >= rows)
            continue;
        const size_t place = (size_t)(first + row) * DIM + output + within;
        *(float4*)(h + place) = now;
        *(uint2*)(scaled + place) = make_uint2(narrow_pair(now.x * scales.x, now.y * scales.y), narrow_pair(now.z * scales.z, now.w * scales.w));
        if (within == 0)
            moments[(size_t)(first + row) * SLOTS + blockIdx.y] = make_float2(sum, squares);
    }
}

// Outputs of a block and stages of the rings (FlowTiledProducts knows them): measured at full size. Half of a large card's processors have blocks, and
// the next kernel's lie on the others, where their weights come meanwhile: so the rings may be as long as there is room. wide: of rows for two groups.
#define TILES(NAME, GROUPS, PR, PW, UR, UW, OR, OW, DR, DW) \
    extern "C" __global__ void __launch_bounds__(512) flow_project_##NAME(const __grid_constant__ TensorMap x, \
        const __grid_constant__ TensorMap weight, const float2* moments, const float* slope, const float* offset, const float* turns, \
        const long long* places, int columns, element* qkv, element* pages, int count, int each, float epsilon) \
    { \
        normed_tiles<TiledRows<DIM, 96, GROUPS, 256, PR, PW>>(x, weight, moments, count, each, epsilon, \
            TiledProjection { Projection { slope, offset, turns, places, columns, qkv, pages } }); \
    } \
    extern "C" __global__ void __launch_bounds__(512) flow_up_##NAME(const __grid_constant__ TensorMap x, const __grid_constant__ TensorMap weight, \
        const float2* moments, const float* slope, const float* offset, element* y, int count, int each, float epsilon) \
    { \
        normed_tiles<TiledRows<DIM, 64, GROUPS, 256, UR, UW>>(x, weight, moments, count, each, epsilon, \
            TiledActivation { Activation { slope, offset, y } }); \
    } \
    extern "C" __global__ void __launch_bounds__(128 * GROUPS + 32) flow_out_##NAME(const __grid_constant__ TensorMap x, \
        const __grid_constant__ TensorMap weight, const element* bias, const float* gate, const float* scale, float* h, element* scaled, \
        float2* moments, int count, int each) \
    { \
        added_tiles<TiledRows<DIM, SLOT, GROUPS, 32, OR, OW>>(x, weight, bias, gate, scale, h, scaled, moments, count, each); \
    } \
    extern "C" __global__ void __launch_bounds__(128 * GROUPS + 32) flow_down_##NAME(const __grid_constant__ TensorMap x, \
        const __grid_constant__ TensorMap weight, const element* bias, const float* gate, const float* scale, float* h, element* scaled, \
        float2* moments, int count, int each) \
    { \
        added_tiles<TiledRows<HIDDEN, SLOT, GROUPS, 32, DR, DW>>(x, weight, bias, gate, scale, h, scaled, moments, count, each); \
    }

TILES(tiles, 1, 5, 5, 6, 6, 8, 8, 8, 8)
TILES(wide_tiles, 2, 4, 4, 4, 4, 5, 8, 5, 5)

#endif
