// The inputs' rows of the embedding table, as the residual stream x [rows, HIDDEN], with what the first product asks for (see matrix.cuh).
// A block a row, a lane for two numbers.

extern "C" __global__ void embed(const int* inputs, const float* table, const float* norm, float* x, element* normed, float* squares)
{
    release_next();
    wait_for_previous();
    const int row = blockIdx.x, at = 2 * threadIdx.x;
    float square = 0;
    if (at < HIDDEN)
    {
        const float2 own = *(const float2*)(table + (size_t)inputs[row] * HIDDEN + at);
        *(float2*)(x + (size_t)row * HIDDEN + at) = own;
        normed[(size_t)row * HIDDEN + at] = narrow(own.x * norm[at]);
        normed[(size_t)row * HIDDEN + at + 1] = narrow(own.y * norm[at + 1]);
        square = own.x * own.x + own.y * own.y;
    }
    square += __shfl_xor_sync(0xffffffffu, square, 1);
    square += __shfl_xor_sync(0xffffffffu, square, 2);
    if (at < HIDDEN && threadIdx.x % 4 == 0)
        squares[(size_t)row * (HIDDEN / 8) + at / 8] = square;
}
